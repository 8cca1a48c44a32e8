//! Signatures with ed25519, by keys in the files that `openssl genpkey -algorithm ed25519` writes.

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::manifest::hex;

/// A key that signs.
pub struct SecretKey(SigningKey);

/// A key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl SecretKey {
    /// Reads PKCS#8 in PEM.
    ///
    /// # Errors
    /// A sentence that says what was wanted; it holds nothing of the file.
    pub fn read(pem: &str) -> Result<Self, String> {
        let wanted = "wanted a secret ed25519 key in PEM, as `openssl genpkey -algorithm ed25519` writes it";
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| match label(pem) {
            Some(label) => format!("{wanted}, found `{label}`"),
            None => wanted.to_owned(),
        })
    }

    /// Its signature of `text`.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }

    /// Its public part.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

impl PublicKey {
    /// Reads a public key in PEM.
    ///
    /// # Errors
    /// A sentence that says what was wanted.
    pub fn read(pem: &str) -> Result<Self, String> {
        let wanted = "wanted a public ed25519 key in PEM, as `openssl pkey -in KEY.pem -pubout` writes it";
        VerifyingKey::from_public_key_pem(pem).map(Self).map_err(|_| match label(pem) {
            Some(label) => format!("{wanted}, found `{label}`"),
            None => wanted.to_owned(),
        })
    }

    /// Its PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The SHA-256 of its DER, as `openssl pkey -pubin -outform DER | sha256sum` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.to_public_key_der().map(|der| hex(&Sha256::digest(der.as_bytes()))).unwrap_or_default()
    }

    /// Whether `signature` is this key's of `text`.
    #[must_use]
    pub fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verify_strict(text, &signature).is_ok())
    }
}

/// What a PEM file says it is, such as `PUBLIC KEY`.
fn label(pem: &str) -> Option<&str> {
    let label = pem.trim_start().strip_prefix("-----BEGIN ")?.split("-----").next()?;
    label.chars().all(|letter| letter.is_ascii_uppercase() || letter == ' ').then_some(label)
}
