//! The little DER that key files and key services need.
//!
//! PKCS#8 (RFC 5958) for both algorithms, the older SEC 1 form (RFC 5915) of P-256 keys, and ECDSA signatures as key
//! services return them. Nothing is read beyond what names the algorithm and the 32 secret bytes.

use zeroize::Zeroizing;

use crate::algorithm::Algorithm;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// PKCS#8 before the secret bytes of an Ed25519 key.
const ED25519_HEAD: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A private key out of a file.
pub(crate) type Private = (Algorithm, Zeroizing<[u8; 32]>);

/// Reads a PKCS#8 document.
pub(crate) fn read_pkcs8(der: &[u8]) -> Option<Private> {
    let (mut document, rest) = take(der, SEQUENCE)?;
    // Version 0, or 1 when the public key follows; it is not needed.
    let (version, after) = take(document, INTEGER)?;
    document = after;
    if !rest.is_empty() || !matches!(version, [0 | 1]) {
        return None;
    }
    let (algorithm, after) = take(document, SEQUENCE)?;
    let (key, _) = take(after, OCTETS)?;
    let (oid, parameters) = take(algorithm, OID)?;
    if oid == ED25519 {
        let (seed, rest) = take(key, OCTETS)?;
        return (rest.is_empty()).then(|| Some((Algorithm::Ed25519, secret(seed)?)))?;
    }
    let (curve, _) = take(parameters, OID)?;
    (oid == EC_PUBLIC_KEY && curve == P256).then(|| read_sec1(key))?
}

/// Reads an `ECPrivateKey`, which is of P-256 if it names a curve at all.
pub(crate) fn read_sec1(der: &[u8]) -> Option<Private> {
    let (document, rest) = take(der, SEQUENCE)?;
    let (version, document) = take(document, INTEGER)?;
    let (scalar, document) = take(document, OCTETS)?;
    if !rest.is_empty() || version != [1] {
        return None;
    }
    if let Some((parameters, _)) = take(document, 0xa0) {
        let (curve, _) = take(parameters, OID)?;
        if curve != P256 {
            return None;
        }
    }
    Some((Algorithm::EcdsaP256Sha256, secret(scalar)?))
}

/// Writes a PKCS#8 document. `public` is the uncompressed point of a P-256 key, which some readers want.
pub(crate) fn pkcs8_of(algorithm: Algorithm, secret: &[u8; 32], public: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(160));
    match algorithm {
        Algorithm::Ed25519 => {
            out.extend_from_slice(ED25519_HEAD);
            out.extend_from_slice(secret);
        }
        Algorithm::EcdsaP256Sha256 => {
            let bits = wrap(0x03, &[&[0], public]);
            let bits = wrap(0xa1, &[&bits]);
            let key = wrap(SEQUENCE, &[&[INTEGER, 1, 1], &wrap(OCTETS, &[secret]), &bits]);
            let algorithm = wrap(SEQUENCE, &[&wrap(OID, &[EC_PUBLIC_KEY]), &wrap(OID, &[P256])]);
            out.extend_from_slice(&wrap(SEQUENCE, &[&[INTEGER, 1, 0], &algorithm, &wrap(OCTETS, &[&key])]));
        }
    }
    out
}

/// An `ECPrivateKey` that names its curve and leaves out the public key.
#[cfg(feature = "aws-lc-rs")]
pub(crate) fn sec1_of(secret: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let curve = wrap(0xa0, &[&wrap(OID, &[P256])]);
    wrap(SEQUENCE, &[&[INTEGER, 1, 1], &wrap(OCTETS, &[secret]), &curve])
}

/// Turns an ECDSA signature in DER, as most key services return it, into the 64 bytes that go on the wire.
///
/// `None` if it is not such a signature over P-256.
///
/// Spec: RFC 9421 section 3.3.4.
#[must_use]
pub fn ecdsa_from_der(der: &[u8]) -> Option<[u8; 64]> {
    let (document, rest) = take(der, SEQUENCE)?;
    let (r, document) = take(document, INTEGER)?;
    let (s, end) = take(document, INTEGER)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut out = [0; 64];
    for (number, half) in [r, s].into_iter().zip(out.chunks_mut(32)) {
        let number = match number {
            [0, rest @ ..] if rest.first().is_some_and(|byte| byte & 0x80 != 0) => rest,
            [first, ..] if first & 0x80 == 0 => number,
            _ => return None,
        };
        let start = half.len().checked_sub(number.len())?;
        half[start..].copy_from_slice(number);
    }
    Some(out)
}

fn secret(bytes: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    bytes.try_into().ok().map(Zeroizing::new)
}

/// The content of the first element, which must have this tag, and what follows it.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (&len, rest) = rest.split_first()?;
            (usize::from(len), rest)
        }
        // Nothing of ours is longer.
        _ => return None,
    };
    (found == tag && len <= rest.len()).then(|| rest.split_at(len))
}

fn wrap(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = Zeroizing::new(Vec::with_capacity(len + 3));
    out.push(tag);
    let len = u8::try_from(len).expect("the documents written here are shorter than 256 bytes");
    if len > 0x7f {
        out.push(0x81);
    }
    out.push(len);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn documents_are_read_back() {
        let secret = [7; 32];
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            let document = pkcs8_of(algorithm, &secret, &[4; 65]);
            let (found, bytes) = read_pkcs8(&document).unwrap();
            assert_eq!((found, *bytes), (algorithm, secret));
            for end in 0..document.len() {
                assert!(read_pkcs8(&document[..end]).is_none(), "{end}");
            }
            let mut longer = document.to_vec();
            longer.push(0);
            assert!(read_pkcs8(&longer).is_none());
            assert!(read_sec1(&document).is_none());
        }
    }

    #[cfg(feature = "aws-lc-rs")]
    #[test]
    fn another_curve_is_refused() {
        let document = sec1_of(&[7; 32]);
        assert_eq!(*read_sec1(&document).unwrap().1, [7; 32]);
        let mut other = document.to_vec();
        *other.last_mut().unwrap() = 0x06;
        assert!(read_sec1(&other).is_none());
    }

    #[test]
    fn a_document_of_another_version_kind_or_length_is_refused() {
        let sec1 = |version: u8, after: &[u8]| {
            let key = wrap(SEQUENCE, &[&[INTEGER, 1, version], &wrap(OCTETS, &[&[7; 32]])]);
            [&key[..], after].concat()
        };
        assert!(read_sec1(&sec1(1, b"")).is_some());
        assert!(read_sec1(&sec1(0, b"")).is_none());
        assert!(read_sec1(&sec1(1, b"more")).is_none());
        let pkcs8 = |version: u8, oid: &[u8], curve: &[u8]| {
            let algorithm = wrap(SEQUENCE, &[&wrap(OID, &[oid]), &wrap(OID, &[curve])]);
            wrap(SEQUENCE, &[&[INTEGER, 1, version], &algorithm, &wrap(OCTETS, &[&sec1(1, b"")])])
        };
        assert!(read_pkcs8(&pkcs8(1, EC_PUBLIC_KEY, P256)).is_some());
        assert!(read_pkcs8(&pkcs8(2, EC_PUBLIC_KEY, P256)).is_none());
        // The curve of P-384, and the identifier of RSA.
        assert!(read_pkcs8(&pkcs8(0, EC_PUBLIC_KEY, &[0x2b, 0x81, 0x04, 0x00, 0x22])).is_none());
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        assert!(read_pkcs8(&pkcs8(0, &rsa, P256)).is_none());
    }

    #[test]
    fn a_length_is_written_in_one_byte_where_it_fits() {
        assert_eq!(wrap(OCTETS, &[&[0; 127]])[..3], [OCTETS, 0x7f, 0]);
        assert_eq!(wrap(OCTETS, &[&[0; 128]])[..3], [OCTETS, 0x81, 0x80]);
    }

    #[test]
    fn signatures_lose_their_der() {
        let short = vec![0x7f; 3];
        let of = |high: u8| {
            let high = [&[0x00, high][..], &[1; 31]].concat();
            wrap(SEQUENCE, &[&wrap(INTEGER, &[&high]), &wrap(INTEGER, &[&short])])
        };
        for high in [0xff, 0x80] {
            let fixed = ecdsa_from_der(&of(high)).unwrap();
            assert_eq!(fixed[..2], [high, 1]);
            assert_eq!(fixed[32..], [&[0; 29][..], &[0x7f; 3]].concat());
        }
        let der = of(0xff);
        let integer = |bytes: &[u8]| wrap(INTEGER, &[bytes]).to_vec();
        for (r, s) in [
            (integer(&[0xff; 32]), integer(&[1])),
            (integer(&[]), integer(&[1])),
            (integer(&[1; 33]), integer(&[1])),
            // A zero in front belongs before a high bit and nowhere else.
            (integer(&[&[0][..], &[1; 32]].concat()), integer(&[1])),
            (integer(&[1]), vec![]),
            (integer(&[1]), [integer(&[1]), integer(&[1])].concat()),
        ] {
            assert_eq!(ecdsa_from_der(&wrap(SEQUENCE, &[&r, &s])), None, "{r:?} {s:?}");
        }
        assert_eq!(ecdsa_from_der(&[&der[..], &[0]].concat()), None);
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes: Vec<u8>) {
            let _ = (read_pkcs8(&bytes).is_some(), read_sec1(&bytes).is_some(), ecdsa_from_der(&bytes));
        }
    }
}
