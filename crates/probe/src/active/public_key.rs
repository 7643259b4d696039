//! Published keys in the forms in which a program may take one for the secret of HS256.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as URL_SAFE};
use serde_json::Value;

/// Algorithm identifiers (RFC 3279 §2.3, RFC 5480 §2.1, RFC 8410 §3), as DER.
const RSA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0];
const ELLIPTIC: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x06, 5, 0x2b, 0x81, 0x04, 0, 0x22];
const P521: &[u8] = &[0x06, 5, 0x2b, 0x81, 0x04, 0, 0x23];
const ED25519: &[u8] = &[0x06, 3, 0x2b, 0x65, 0x70];

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// Every form of a JSON Web Key: PEM with and without its last line end, DER, the bare numbers, the JSON itself.
pub(super) fn secrets(key: &Value) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (label, der) in [("PUBLIC KEY", subject(key)), ("RSA PUBLIC KEY", rsa(key))] {
        let Some(der) = der else { continue };
        let pem = pem(label, &der);
        all.push(pem.trim_end().as_bytes().to_vec());
        all.push(pem.into_bytes());
        all.push(der);
    }
    for part in ["x", "n"] {
        let Some(text) = key.get(part).and_then(Value::as_str) else { continue };
        all.push(text.as_bytes().to_vec());
        all.extend(URL_SAFE.decode(text).ok());
    }
    all.push(key.to_string().into_bytes());
    all
}

/// SubjectPublicKeyInfo (RFC 5280 §4.1).
fn subject(key: &Value) -> Option<Vec<u8>> {
    let (algorithm, bits) = match key.get("kty")?.as_str()? {
        "RSA" => (RSA.to_vec(), rsa(key)?),
        "EC" => {
            let curve = match key.get("crv")?.as_str()? {
                "P-256" => P256,
                "P-384" => P384,
                "P-521" => P521,
                _ => return None,
            };
            ([ELLIPTIC, curve].concat(), [&[4][..], &part(key, "x")?, &part(key, "y")?].concat())
        }
        "OKP" => (ED25519.to_vec(), part(key, "x")?),
        _ => return None,
    };
    let bits = [&[0][..], &bits].concat();
    Some(der(SEQUENCE, &[der(SEQUENCE, &algorithm), der(BITS, &bits)].concat()))
}

/// RSAPublicKey (RFC 8017 §A.1.1).
fn rsa(key: &Value) -> Option<Vec<u8>> {
    let number = |name| {
        part(key, name).map(|bytes| {
            // A first bit of 1 would make it negative.
            let sign: &[u8] = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
            der(INTEGER, &[sign, &bytes].concat())
        })
    };
    Some(der(SEQUENCE, &[number("n")?, number("e")?].concat()))
}

fn part(key: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE.decode(key.get(name)?.as_str()?).ok()
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    if content.len() >= 0x80 {
        out.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
    }
    out.extend(if length.is_empty() { vec![0] } else { length });
    out.extend(content);
    out
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_is_written_as_openssl_writes_it() {
        for (key, pem) in PAIRS {
            let key: Value = serde_json::from_str(key).unwrap_or_default();
            assert!(secrets(&key).contains(&pem.as_bytes().to_vec()), "{key}");
        }
        assert_eq!(secrets(&json!({"kty": "oct"})).len(), 1);
    }

    /// Made by openssl 3: `genpkey`, then `pkey -pubout`.
    const PAIRS: &[(&str, &str)] = &[
        (
            concat!(
                "{\"kty\":\"RSA\",\"n\":\"0-4Tm6EG0O1PxxOLwSEtzQBFT228WkYnVB0r4fUkC6n0k3D-HCfYeHLl_oduak",
                "Xrmp6pRCtFC2FazRb9XSPfyy_2TBVhoSf0IfyNFBAdY0H8WVLtgYf4OyttLHFSRlNrGaJeHd5h6hcwpC",
                "BygI9DGbYnUk2ll5QHz1m1GQ3TPok\",\"e\":\"AQAB\"}"
            ),
            concat!(
                "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDT7hOboQbQ7U/HE",
                "4vBIS3NAEVP\nbbxaRidUHSvh9SQLqfSTcP4cJ9h4cuX+h25qReuanqlEK0ULYVrNFv1dI9/LL/ZM\nFWG",
                "hJ/Qh/I0UEB1jQfxZUu2Bh/g7K20scVJGU2sZol4d3mHqFzCkIHKAj0MZtidS\nTaWXlAfPWbUZDdM+iQ",
                "IDAQAB\n-----END PUBLIC KEY-----\n"
            ),
        ),
        (
            concat!(
                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"sOmWh0cdVDBwcGOJkUEoALmghP0Xha_tD-UTYV3e5Hw\",\"y\":",
                "\"I-B0SLWjpu_DziKJr4ZMfpwwwypaPUolVU0vsuxImC8\"}"
            ),
            concat!(
                "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsOmWh0cdVDBwcGOJk",
                "UEoALmghP0X\nha/tD+UTYV3e5Hwj4HRItaOm78POIomvhkx+nDDDKlo9SiVVTS+y7EiYLw==\n-----EN",
                "D PUBLIC KEY-----\n"
            ),
        ),
        (
            "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"hrN3yJEx3bf_nO1cegGybKqheiPokVfv_H45R1hfR_M\"}",
            concat!(
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAhrN3yJEx3bf/nO1cegGybKqheiPokVfv/H45R",
                "1hfR/M=\n-----END PUBLIC KEY-----\n"
            ),
        ),
    ];
}
