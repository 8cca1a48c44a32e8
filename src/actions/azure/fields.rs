//! The parameters that all actions on Azure take.

use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Takes, Type};

/// The subscription.
pub(super) const SUBSCRIPTION: Field = Field {
    name: "subscription",
    kind: || Type::String,
    required: true,
    doc: "the id of the subscription; from the runbook's or the workspace's `azure` if absent",
};

/// The resource group.
pub(super) const RESOURCE_GROUP: Field = Field {
    name: "resource_group",
    kind: || Type::String,
    required: true,
    doc: "the resource group; from the runbook's or the workspace's `azure` if absent",
};

/// The cloud.
pub(super) const CLOUD: Field = Field {
    name: "cloud",
    kind: any,
    required: false,
    doc: "the cloud, as the runbook's or the workspace's `azure` says: `public`, `government`, `china`, or a name from the \
        workspace's `azure.clouds`; `public` if absent",
};

/// The credential.
pub(super) const CREDENTIAL: Field = Field {
    name: "credential",
    kind: || Type::String,
    required: false,
    doc: "as whom: a name from the workspace's `azure.credentials`, or a kind that needs no settings, such as \
        `managed_identity` or `workload_identity`; `developer` if absent",
};

/// The parameters of an action on Azure: those of all, and its own.
macro_rules! parameters {
    ($($field:expr),* $(,)?) => {
        &[
            $crate::actions::azure::fields::SUBSCRIPTION,
            $crate::actions::azure::fields::RESOURCE_GROUP,
            $crate::actions::azure::fields::CLOUD,
            $crate::actions::azure::fields::CREDENTIAL,
            $($field),*
        ]
    };
}
pub(super) use parameters;

/// The parameters of an action that is not about a resource of a resource group: those of all, and its own.
macro_rules! anywhere {
    ($($field:expr),* $(,)?) => {
        &[
            $crate::actions::azure::fields::SUBSCRIPTION,
            $crate::catalogue::Field { required: false, ..$crate::actions::azure::fields::RESOURCE_GROUP },
            $crate::actions::azure::fields::CLOUD,
            $crate::actions::azure::fields::CREDENTIAL,
            $($field),*
        ]
    };
}
pub(super) use anywhere;

/// A required parameter or an output that is always there.
pub(super) const fn must(name: &'static str, kind: fn() -> Type, doc: &'static str) -> Field {
    Field { name, kind, required: true, doc }
}

/// A parameter that may be absent, or an output that may be.
pub(super) const fn may(name: &'static str, kind: fn() -> Type, doc: &'static str) -> Field {
    Field { name, kind, required: false, doc }
}

/// Text.
pub(super) fn string() -> Type {
    Type::String
}

/// A whole number.
pub(super) fn int() -> Type {
    Type::Int
}

/// A whole number that is not negative.
pub(super) fn natural() -> Type {
    Type::Between(0, i64::MAX)
}

/// A share among others, as all of Azure's ways to route by weight take it.
pub(super) fn weight() -> Type {
    Type::Between(1, 1000)
}

/// A point in time.
pub(super) fn moment() -> Type {
    Type::Moment
}

/// A yes or no.
pub(super) fn boolean() -> Type {
    Type::Bool
}

/// A list of text.
pub(super) fn strings() -> Type {
    Type::strings()
}

/// A length of time.
pub(super) fn duration() -> Type {
    Type::Duration
}

/// Anything.
pub(super) fn any() -> Type {
    Type::Any
}

/// One of these words.
pub(super) fn words<const N: usize>(words: [&str; N]) -> Type {
    Type::Enum(words.map(str::to_owned).to_vec())
}

/// A read that says yes or no: the base of such specs.
pub(super) const CHECK: ActionSpec = ActionSpec {
    name: "",
    summary: "",
    docs: "",
    parameters: &[],
    outputs: Outputs::Fixed(&[]),
    effect: |_| Effect::Reads,
    code: &[],
    is_check: true,
    rule: None,
    takes: |_| Takes::guess(1, 3),
    loss: None,
    permissions: &[],
};

/// A change that may be sent again: the base of such specs.
pub(super) const IDEMPOTENT: ActionSpec = ActionSpec { effect: |_| Effect::Idempotent, is_check: false, ..CHECK };

/// A change that the state tells of: the base of such specs.
pub(super) const OBSERVABLE: ActionSpec = ActionSpec { effect: |_| Effect::Observable, is_check: false, ..CHECK };

/// A change that nothing tells of: the base of such specs.
pub(super) const UNSAFE: ActionSpec = ActionSpec { effect: |_| Effect::UnsafeToRepeat, is_check: false, ..CHECK };

/// The first outputs of every check.
pub(super) const HEALTHY: Field = must("healthy", boolean, "whether what was found is what is wanted");
/// See [`HEALTHY`].
pub(super) const REASON: Field = must("reason", string, "what was found");
