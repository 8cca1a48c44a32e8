//! How long a text message is, as networks count it.
//!
//! A text of GSM 7-bit characters has 160 of them, or 153 in each of several segments; those of its extension count
//! twice. Any other character makes all of them UCS-2: 70, or 67 in each of several segments (3GPP TS 23.038, 23.040).

use std::fmt;

/// More segments than these are warned of: some networks refuse them, and nobody reads them.
pub const MOST_SEGMENTS: usize = 3;

/// The GSM 7-bit default alphabet.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension, behind an escape.
const GSM_EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The length of a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Characters, as they are counted.
    pub units: usize,
    /// Messages it takes.
    pub segments: usize,
    /// Whether 7 bits are enough for each character.
    pub is_gsm: bool,
}

/// The length of a text.
#[must_use]
pub fn length(text: &str) -> Length {
    let septets = |sign: char| match sign {
        _ if GSM.contains(sign) => Some(1),
        _ if GSM_EXTENSION.contains(sign) => Some(2),
        _ => None,
    };
    let gsm: Option<Vec<usize>> = text.chars().map(septets).collect();
    let is_gsm = gsm.is_some();
    let widths = gsm.unwrap_or_else(|| text.chars().map(char::len_utf16).collect());
    let (single, several) = if is_gsm { (160, 153) } else { (70, 67) };
    let units: usize = widths.iter().sum();
    let segments = if units <= single { usize::from(units > 0) } else { filled(&widths, several) };
    Length { units, segments, is_gsm }
}

/// How many segments the characters fill: none is torn apart.
fn filled(widths: &[usize], size: usize) -> usize {
    let (mut segments, mut used) = (1, 0);
    for width in widths {
        if used + width > size {
            (segments, used) = (segments + 1, 0);
        }
        used += width;
    }
    segments
}

impl fmt::Display for Length {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alphabet, s) = (if self.is_gsm { "GSM-7" } else { "UCS-2" }, if self.segments == 1 { "" } else { "s" });
        write!(out, "{} characters of {alphabet}, {} segment{s}", self.units, self.segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_as_networks_do() {
        let counted = |text: &str| {
            let Length { units, segments, is_gsm } = length(text);
            (units, segments, is_gsm)
        };
        assert_eq!(counted(""), (0, 0, true));
        assert_eq!(counted("Orders is down @ 04:12"), (22, 1, true));
        assert_eq!(counted("Störung: 5 €"), (13, 1, true));
        assert_eq!(counted(&"a".repeat(160)), (160, 1, true));
        assert_eq!(counted(&"a".repeat(161)), (161, 2, true));
        assert_eq!(counted(&"a".repeat(306)), (306, 2, true));
        assert_eq!(counted(&"a".repeat(307)), (307, 3, true));
        // An escape is not torn from what it escapes: 76 a segment.
        assert_eq!(counted(&"€".repeat(81)), (162, 2, true));
        assert_eq!(counted(&"€".repeat(153)), (306, 3, true));
        assert_eq!(counted(&"ж".repeat(70)), (70, 1, false));
        assert_eq!(counted(&"ж".repeat(71)), (71, 2, false));
        assert_eq!(counted("down \u{1f525}"), (7, 1, false));
        assert_eq!(length("a").to_string(), "1 characters of GSM-7, 1 segment");
    }
}
