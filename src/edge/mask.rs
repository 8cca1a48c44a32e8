//! Masks secret values in a stream of bytes, wherever the stream is cut into pieces.

use crate::edge::secrets::MASK;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// `base64` breaks its lines here.
const BASE64_LINE: usize = 76;
/// `xxd -p` breaks its lines here.
const HEX_LINE: usize = 60;
/// Shorter pieces of a secret than this are too common to mask.
const SHORTEST_PIECE: usize = 8;

/// Replaces what it looks for by [`MASK`]. Holds back as many bytes as a match may still need.
pub(crate) struct Masker {
    /// Longest first, so that a match inside another leaves no rest.
    patterns: Vec<Vec<u8>>,
    starts: [bool; 256],
    held: Vec<u8>,
    /// How many bytes of `held` belong to a match already masked.
    covered: usize,
}

impl Masker {
    /// Looks for `needles` and their usual encodings.
    pub(crate) fn new(needles: &[String]) -> Self {
        let mut patterns: Vec<Vec<u8>> = needles.iter().flat_map(|needle| forms(needle)).collect();
        patterns.retain(|pattern| !pattern.is_empty());
        patterns.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        patterns.dedup();
        let mut starts = [false; 256];
        for pattern in &patterns {
            starts[usize::from(pattern[0])] = true;
        }
        Self { patterns, starts, held: Vec::new(), covered: 0 }
    }

    /// Takes the next bytes and passes on what is certain by now.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut impl FnMut(&[u8])) {
        let Some(longest) = self.patterns.first().map(Vec::len) else {
            return out(bytes);
        };
        self.held.extend_from_slice(bytes);
        self.pass(self.held.len().saturating_sub(longest - 1), out);
    }

    /// Passes on the rest.
    pub(crate) fn finish(&mut self, out: &mut impl FnMut(&[u8])) {
        self.pass(self.held.len(), out);
    }

    /// All of `bytes`, masked.
    pub(crate) fn mask(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = Vec::new();
        self.push(bytes, &mut |piece| masked.extend_from_slice(piece));
        self.finish(&mut |piece| masked.extend_from_slice(piece));
        masked
    }

    /// Passes on the first `end` bytes held. Overlapping matches are masked together.
    fn pass(&mut self, end: usize, out: &mut impl FnMut(&[u8])) {
        for at in 0..end {
            if !self.starts[usize::from(self.held[at])] {
                continue;
            }
            let rest = &self.held[at..];
            let Some(pattern) = self.patterns.iter().find(|pattern| rest.starts_with(pattern)) else {
                continue;
            };
            if at >= self.covered {
                out(&self.held[self.covered..at]);
                out(MASK.as_bytes());
            }
            self.covered = self.covered.max(at + pattern.len());
        }
        if self.covered < end {
            out(&self.held[self.covered..end]);
        }
        self.covered = self.covered.saturating_sub(end);
        self.held.drain(..end);
    }
}

/// A secret as it may show up: plain, line by line, base64, hexadecimal, percent-encoded, as JSON.
fn forms(needle: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![needle.as_bytes().to_vec()];
    forms.extend(pieces(needle.lines().map(str::as_bytes)));
    // `echo "$SECRET" | base64` encodes a newline too.
    for value in [needle.to_owned(), format!("{needle}\n")] {
        let plain = base64(value.as_bytes());
        let url: String = plain.replace('+', "-").replace('/', "_");
        for text in [plain, url] {
            forms.extend(pieces(text.as_bytes().chunks(BASE64_LINE)));
            forms.push(text.trim_end_matches('=').as_bytes().to_vec());
            forms.push(text.into_bytes());
        }
    }
    let hex: String = needle.bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in [hex.to_ascii_uppercase(), hex] {
        forms.extend(pieces(text.as_bytes().chunks(HEX_LINE)));
        forms.push(text.into_bytes());
    }
    let percent = percent(needle);
    forms.push(percent.replace("%20", "+").into_bytes());
    forms.push(lower_hex(&percent).into_bytes());
    forms.push(percent.into_bytes());
    forms.push(json(needle));
    forms
}

fn pieces<'a>(of: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Vec<u8>> {
    of.filter(|piece| piece.len() >= SHORTEST_PIECE).map(<[u8]>::to_vec)
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, index| bits << 8 | three.get(index).map_or(0, |byte| usize::from(*byte)));
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = char::from(BASE64[bits >> shift & 63]);
            text.push(if index <= three.len() { letter } else { '=' });
        }
    }
    text
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text + &char::from(byte).to_string(),
        byte => text + &format!("%{byte:02X}"),
    })
}

/// `%2F` as `%2f`.
fn lower_hex(percent: &str) -> String {
    let mut parts = percent.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at(2.min(part.len()));
        text + "%" + &digits.to_ascii_lowercase() + rest
    })
}

/// The inside of a JSON string.
fn json(text: &str) -> Vec<u8> {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(needles: &[&str], pieces: &[&str]) -> String {
        let needles: Vec<String> = needles.iter().map(|&needle| needle.to_owned()).collect();
        let mut masker = Masker::new(&needles);
        let mut text = Vec::new();
        for piece in pieces {
            masker.push(piece.as_bytes(), &mut |bytes| text.extend_from_slice(bytes));
        }
        masker.finish(&mut |bytes| text.extend_from_slice(bytes));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_secret_cut_in_two_is_still_masked() {
        assert_eq!(masked(&["hunter22"], &["user hun", "ter2", "2 ok"]), "user *** ok");
    }

    #[test]
    fn secrets_that_overlap_leave_no_rest() {
        assert_eq!(masked(&["abcd", "cdef"], &["-abc", "def-"]), "-***-");
        assert_eq!(masked(&["abcd"], &["abcdabcd"]), "******");
    }

    #[test]
    fn the_usual_encodings_are_masked() {
        for text in [
            "aHVudGVyPzIyIH4vPg==",
            "aHVudGVyPzIyIH4vPg",
            "hunter%3F22%20~%2F%3E",
            "hunter%3f22%20~%2f%3e",
            "hunter%3F22+~%2F%3E",
            "68756e7465723f3232207e2f3e",
            "68756E7465723F3232207E2F3E",
        ] {
            assert_eq!(masked(&["hunter?22 ~/>"], &[text]), "***", "{text}");
        }
        assert_eq!(masked(&["a\"b\\c\nd"], &[r#"{"x":"a\"b\\c\nd"}"#]), r#"{"x":"***"}"#);
        assert_eq!(masked(&["??>>??>>"], &["Pz8-Pj8_Pj4"]), "***");
    }

    #[test]
    fn base64_broken_into_lines_is_masked() {
        let secret = "0123456789".repeat(10);
        let text = base64(secret.as_bytes());
        let (first, rest) = text.split_at(BASE64_LINE);
        assert_eq!(masked(&[&secret], &[first, "\n", rest]), "***\n***");
    }

    #[test]
    fn hexadecimal_broken_into_lines_is_masked() {
        let secret = "0123456789".repeat(4);
        let text: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let (first, rest) = text.split_at(HEX_LINE);
        assert_eq!(masked(&[&secret], &[first, "\n", rest]), "***\n***");
    }

    proptest! {
        #[test]
        fn text_without_secrets_passes_unchanged(pieces in prop::collection::vec("[a-y]{0,9}", 0..9)) {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(masked(&["zebra zone"], &pieces), pieces.concat());
        }

        #[test]
        fn however_the_stream_is_cut_the_result_is_the_same(text in "[ab]{0,40}", cut in 0_usize..40) {
            let cut = cut.min(text.len());
            prop_assert_eq!(masked(&["abba", "bab"], &[&text[..cut], &text[cut..]]), masked(&["abba", "bab"], &[&text]));
        }
    }
}
