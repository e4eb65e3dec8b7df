//! The cryptography, behind three functions that two libraries implement alike.
//!
//! A private key is 32 bytes in both algorithms: a seed, or a number below the order of the curve. A public key is the 32
//! bytes of the point, or 65 bytes of the uncompressed point. A signature is 64 bytes.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(all(feature = "pure-rust", any(test, not(feature = "aws-lc-rs"))))]
mod pure_rust;

#[cfg(feature = "aws-lc-rs")]
pub(crate) use aws_lc::{Pair, verify};
#[cfg(all(feature = "pure-rust", not(feature = "aws-lc-rs")))]
pub(crate) use pure_rust::{Pair, verify};

#[cfg(not(any(feature = "aws-lc-rs", feature = "pure-rust")))]
compile_error!("adcp-signing needs the feature `aws-lc-rs` or the feature `pure-rust`");

/// Bytes that are no key, or a library that will not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

#[cfg(all(test, feature = "aws-lc-rs", feature = "pure-rust"))]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;

    #[test]
    fn the_two_libraries_agree() {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            let secret: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap() + 1);
            let one = aws_lc::Pair::new(algorithm, &secret).unwrap();
            let other = pure_rust::Pair::new(algorithm, &secret).unwrap();
            assert_eq!(one.public(), other.public(), "{algorithm}");
            for message in [&b""[..], b"message", &[7; 400]] {
                let signatures = [one.sign(message).unwrap(), other.sign(message).unwrap()];
                for signature in &signatures {
                    for (text, valid) in [(message, true), (b"another message", false)] {
                        assert_eq!(aws_lc::verify(algorithm, one.public(), text, signature), valid);
                        assert_eq!(pure_rust::verify(algorithm, one.public(), text, signature), valid);
                    }
                }
            }
            for bad in [&[][..], &[0; 32], &[4; 65], &[0xff; 32], &one.public()[1..]] {
                let signature = one.sign(b"m").unwrap();
                assert!(!aws_lc::verify(algorithm, bad, b"m", &signature), "{algorithm} {bad:?}");
                assert!(!pure_rust::verify(algorithm, bad, b"m", &signature), "{algorithm} {bad:?}");
            }
        }
        for bad in [[0; 32], [0xff; 32]] {
            assert!(aws_lc::Pair::new(Algorithm::EcdsaP256Sha256, &bad).is_err());
            assert!(pure_rust::Pair::new(Algorithm::EcdsaP256Sha256, &bad).is_err());
        }
    }
}
