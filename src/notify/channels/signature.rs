//! Signatures by a shared key: HMAC with SHA-256.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Undelivered;

/// The signature of `text`.
pub(super) fn sign(key: &[u8], text: &[u8]) -> Result<Vec<u8>, Undelivered> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.map_err(|_| Undelivered::Refused("not sent: its key cannot sign anything".to_owned()))?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().to_vec())
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        let signed = sign(b"Jefe", b"what do ya want for nothing?").unwrap_or_default();
        assert_eq!(hex(&signed), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
