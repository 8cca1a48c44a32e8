//! `--inject STEP:FAULT`: one fault without a scenario file.

use super::{CrashPoint, Fault, Lost};
use crate::diag::closest;

/// The words of `--inject`.
const WORDS: [&str; 5] = ["fail", "hang", "timeout", "lost-response", "crash-after-effect"];

/// Reads `STEP:FAULT`.
///
/// # Errors
/// A sentence that says what was wanted.
pub fn injected(text: &str) -> Result<Fault, String> {
    let wanted = format!("wanted `STEP:FAULT` with one of {}", WORDS.join(", "));
    let (step, word) = text.rsplit_once(':').ok_or_else(|| format!("{wanted}, found `{text}`"))?;
    let step = step.to_owned();
    Ok(match word {
        "fail" => Fault::FailedOperation { step, code: None, message: None, times: None },
        "hang" => Fault::Hang { step },
        "timeout" => Fault::Timeout { step },
        "lost-response" => Fault::LostResponse { step, effect: Lost::AfterEffect, times: None },
        "crash-after-effect" => Fault::Crash { step, point: CrashPoint::AfterEffect },
        other => {
            let meant = closest(other, WORDS).map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
            return Err(format!("{wanted}, found `{other}`{meant}"));
        }
    })
}

/// The `STEP:FAULT` that reads as this fault; nothing where none does.
#[must_use]
pub fn injection(fault: &Fault) -> Option<String> {
    let step = fault.step()?;
    let mut texts = WORDS.iter().map(|word| format!("{step}:{word}"));
    texts.find(|text| injected(text).as_ref() == Ok(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_injected_by_its_word() {
        assert_eq!(injected("a:hang"), Ok(Fault::Hang { step: "a".to_owned() }));
        for word in WORDS {
            let text = format!("each[eu].a:{word}");
            assert_eq!(injected(&text).ok().and_then(|fault| injection(&fault)), Some(text));
        }
        assert_eq!(
            injected("a:lost-respons"),
            Err("wanted `STEP:FAULT` with one of fail, hang, timeout, lost-response, crash-after-effect, found \
                 `lost-respons`; did you mean `lost-response`?"
                .to_owned())
        );
    }
}
