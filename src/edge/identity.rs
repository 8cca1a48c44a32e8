//! Who runs this process, as the system tells. Nobody is authenticated here.

use serde::{Deserialize, Serialize};

/// A person at a machine, and the process that acts for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name of the system's user, or `uid N` if it has none.
    pub user: String,
    /// The name of the machine.
    pub host: String,
    /// The process.
    pub pid: u32,
}

impl Identity {
    /// Of this process.
    #[must_use]
    pub fn current() -> Self {
        Self {
            user: user_name(rustix::process::getuid().as_raw()),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            pid: std::process::id(),
        }
    }
}

/// The name of a user. Knows those of `/etc/passwd`, not those of a directory service.
pub(super) fn user_name(uid: u32) -> String {
    let users = std::fs::read("/etc/passwd").unwrap_or_default();
    find_user(&String::from_utf8_lossy(&users), uid).unwrap_or_else(|| format!("uid {uid}"))
}

fn find_user(users: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_as_in_the_list_of_users() {
        let users = "root:x:0:0:root:/root:/bin/sh\n\nodd\n:x:5::\nops:x:1000:1000:On call,,,:/home/ops:/bin/bash\n";
        for (uid, wanted) in [(0, Some("root")), (1000, Some("ops")), (5, None), (1, None)] {
            assert_eq!(find_user(users, uid).as_deref(), wanted, "{uid}");
        }
    }

    #[test]
    fn a_user_without_a_name_is_called_by_number() {
        assert_eq!(user_name(4_000_000_001), "uid 4000000001");
    }

    #[test]
    fn this_process_knows_who_it_is() {
        let identity = Identity::current();
        assert_eq!(identity.pid, std::process::id());
        assert!(!identity.user.is_empty() && !identity.host.is_empty(), "{identity:?}");
    }
}
