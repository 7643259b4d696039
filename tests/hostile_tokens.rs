//! Tokens made by hand, many with the right key: each is refused in JSON, and nothing panics (RFC 8725).

use crate::harness::process::Process;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

const KEY: &str = "a signing key of more than thirty-two bytes, known to this test";

fn signature(key: &[u8], message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(message.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// HS256 over exactly these bytes, written here and not by the library under test.
fn forge(key: &[u8], header: &str, payload: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    format!("{message}.{}", signature(key, &message))
}

/// The header and the payload of a token.
fn read(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default()).unwrap_or_default()
    });
    (parts.next().expect("a header"), parts.next().expect("a payload"))
}

fn with(object: &Value, name: &str, value: Value) -> String {
    let mut object = object.clone();
    object[name] = value;
    object.to_string()
}

/// Headers that the right key signs but that must not be believed.
fn hostile_headers(header: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for alg in
        ["none", "None", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "hs256", "HS256 "]
    {
        all.push(with(header, "alg", alg.into()));
    }
    for alg in [json!(null), json!(256), json!(["HS256"]), json!({ "HS256": true })] {
        all.push(with(header, "alg", alg));
    }
    for kid in [
        "../../../../dev/null",
        "/dev/null",
        "x' UNION SELECT 'key",
        "http://evil.example/key",
        "",
        "\0",
        "%00",
    ] {
        all.push(with(header, "kid", kid.into()));
    }
    for kid in [json!(0), json!(null), json!([]), json!({}), "k".repeat(900).into()] {
        all.push(with(header, "kid", kid));
    }
    for typ in ["at+jwt", "JWE", "JOSE", "secevent+jwt"] {
        all.push(with(header, "typ", typ.into()));
    }
    all.push(with(header, "crit", json!(["exp"])));
    all.push(with(header, "crit", json!([])));
    all.push(with(header, "b64", json!(false)));
    let kid = header["kid"].as_str().expect("a kid");
    all.push(format!(r#"{{"alg":"HS256","alg":"HS256","kid":"{kid}","typ":"JWT"}}"#));
    all.push(format!(r#"{{"alg":"none","kid":"{kid}","alg":"HS256"}}"#));
    all.push(format!(r#"{{"alg":"HS256","kid":"{kid}","kid":"{kid}"}}"#));
    all.extend(
        ["", "null", "[]", "\"HS256\"", "{", "{\"alg\":\"HS256\"}x", "\u{feff}{\"alg\":\"HS256\"}"]
            .map(str::to_owned),
    );
    all.push(format!("{{\"alg\":\"HS256\",\"x\":{}}}", "[".repeat(300)));
    all
}

/// Payloads that the right key signs but that make no access token.
fn hostile_payloads(payload: &Value) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let exp = |value: &str| with(payload, "exp", json!("@")).replace("\"@\"", value);
    for value in [
        "\"9999999999\"",
        "null",
        "true",
        "[]",
        "{}",
        "-1",
        "0",
        "1",
        "1e400",
        "-1e400",
        "1e-400",
        "99999999999999999999999",
        "1.0",
    ] {
        all.push(exp(value));
    }
    for name in ["exp", "token_type", "user_id"] {
        let mut object = payload.clone();
        object.as_object_mut().expect("an object").remove(name);
        all.push(object.to_string());
    }
    for user_id in [
        json!("abc"),
        json!(-1),
        json!(1.5),
        json!("1e0"),
        json!(null),
        json!([1]),
        json!(""),
        json!(" 1"),
        json!("+1"),
        json!("1 "),
        json!("\u{ff11}"),
        json!("99999999999999999999"),
        json!(true),
        json!("1\0"),
    ] {
        all.push(with(payload, "user_id", user_id));
    }
    for sid in [json!("x"), json!(1.5), json!([]), json!(u64::MAX), json!({})] {
        all.push(with(payload, "sid", sid));
    }
    for kind in [json!("sliding"), json!("ACCESS"), json!(null), json!(1), json!("")] {
        all.push(with(payload, "token_type", kind));
    }
    let text = payload.to_string();
    all.push(text.replacen('{', "{\"exp\":9999999999,", 1));
    all.push(text.replacen('{', "{\"user_id\":\"1\",", 1));
    all.push(format!("{text} x"));
    all.push(format!("[{text}]"));
    all.extend(["", "null", "{}", "[]", "{"].map(str::to_owned));
    let mut all: Vec<_> = all.into_iter().map(String::into_bytes).collect();
    let name = payload["username"].as_str().expect("a name");
    let position = text.find(name).expect("the name");
    let mut no_utf8 = text.into_bytes();
    no_utf8[position] = 0xff;
    all.push(no_utf8);
    all
}

/// Other spellings of a good token, which a lenient reader would take.
fn hostile_spellings(token: &str) -> Vec<String> {
    let parts: Vec<_> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let (last, start) = (signature.as_bytes()[signature.len() - 1], &signature[..signature.len() - 1]);
    // The last character carries two bits that do not count.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.find(char::from(last)).expect("a character");
    let twin = &alphabet[index + 1..index + 2];
    let mut all = vec![
        format!("{header}.{payload}.{start}{twin}"),
        format!("{token}="),
        format!("{token}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}="),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{token}.{signature}"),
        format!("{token}..{signature}"),
        format!("{header}.{payload}.{start}"),
        format!("{header}.{payload}.{signature}A"),
        format!("{header}.{payload}.{}", signature.replace(['-', '_'], "+")),
        format!("{header} .{payload}.{signature}"),
        format!("{header}.{payload}.{signature}\u{0}"),
        format!("{header}.{payload}.{signature}\u{e9}"),
        "..".to_owned(),
        ".".repeat(5000),
        "A".repeat(100_000),
        format!("{token}.{}", "A".repeat(200_000)),
    ];
    // A signature without - and _ is spelt the same in the other alphabet.
    all.retain(|spelling| spelling != token);
    all
}

/// Refused wherever a token can be shown; no answer is a 5xx.
async fn assert_refused(server: &Process, token: &str) {
    let shown: String = token.chars().take(300).collect();
    if token.len() < 50_000
        && let Ok(value) = reqwest::header::HeaderValue::from_str(&format!("Bearer {token}"))
    {
        let request = server.request(Method::GET, "/api/auth/me/").header("authorization", value);
        let answer = server.send(request).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some("token_not_valid")), "{shown}");
    }
    for (path, field, statuses) in [
        ("/api/auth/verify/", "token", [401, 400]),
        ("/api/auth/refresh/", "refresh", [401, 400]),
        ("/api/auth/logout/", "refresh_token", [400, 400]),
        ("/api/auth/verify-email/", "token", [400, 400]),
        ("/api/auth/email-change/confirm/", "token", [400, 400]),
    ] {
        let answer = server.post(path, json!({ field: token })).await;
        assert!(statuses.contains(&answer.status), "{path} {shown}: {} {}", answer.status, answer.body);
        assert!(answer.body["error"].is_string() && answer.body["code"].is_string(), "{path} {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_made_by_hand_passes_though_the_right_key_signs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Process::start(folder.path(), &[("TOKENS__SIGNING_KEY", KEY)]).await;
    let session = server.user("reader").await;
    let token = session.text("access");
    let (header, payload) = read(&token);
    let good = forge(KEY.as_bytes(), &header.to_string(), payload.to_string().as_bytes());
    server.get("/api/auth/me/", &good).await.expect(200);
    let number =
        with(&payload, "user_id", json!(payload["user_id"].as_str().and_then(|id| id.parse::<i64>().ok())));
    let number = forge(KEY.as_bytes(), &header.to_string(), number.as_bytes());
    server.get("/api/auth/me/", &number).await.expect(200);

    // Each kind of token is good for its own purpose only.
    server.get("/api/auth/me/", &session.text("refresh")).await.expect(401);
    server.post("/api/auth/refresh/", json!({ "refresh": token })).await.expect(401);
    server.post("/api/auth/logout/", json!({ "refresh": token })).await.expect(400);

    let mut hostile = hostile_spellings(&token);
    hostile.extend(
        hostile_headers(&header)
            .iter()
            .map(|header| forge(KEY.as_bytes(), header, payload.to_string().as_bytes())),
    );
    hostile.extend(
        hostile_payloads(&payload).iter().map(|payload| forge(KEY.as_bytes(), &header.to_string(), payload)),
    );
    for alg in ["none", "NONE", "HS256"] {
        let header = URL_SAFE_NO_PAD.encode(with(&header, "alg", alg.into()));
        hostile.push(format!("{header}.{}.", URL_SAFE_NO_PAD.encode(payload.to_string())));
    }
    for (name, value) in [
        ("jwk", json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode("evil"), "alg": "HS256" })),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("x5u", json!("http://127.0.0.1:1/keys")),
        ("x5c", json!(["AAAA"])),
    ] {
        hostile.push(forge(b"evil", &with(&header, name, value), payload.to_string().as_bytes()));
    }
    hostile.push(forge(b"", &header.to_string(), payload.to_string().as_bytes()));
    assert!(hostile.len() > 100, "{}", hostile.len());
    for token in &hostile {
        assert_refused(&server, token).await;
    }
    // Whatever came, the session still stands.
    server.get("/api/auth/me/", &token).await.expect(200);
    server.post("/api/auth/refresh/", json!({ "refresh": session.text("refresh") })).await.expect(200);
    server.stop().await;
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_is_no_secret_that_signs() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Process::start(folder.path(), &[("TOKENS__ALGORITHM", "EdDSA")]).await;
    let token = server.user("reader").await.text("access");
    let (header, payload) = read(&token);
    assert_eq!(header["alg"], "EdDSA");
    server.get("/api/auth/me/", &token).await.expect(200);
    let keys = server.get("/.well-known/jwks.json", "").await.expect(200).body;
    let jwk = &keys["keys"][0];
    let x = jwk["x"].as_str().expect("a public key");
    let raw = URL_SAFE_NO_PAD.decode(x).expect("base64url");
    // SubjectPublicKeyInfo of RFC 8410 §4.
    let spki = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &raw].concat();
    let lines = base64::engine::general_purpose::STANDARD.encode(&spki);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n");
    for key in [
        raw.as_slice(),
        &spki,
        x.as_bytes(),
        pem.as_bytes(),
        pem.trim_end().as_bytes(),
        jwk.to_string().as_bytes(),
    ] {
        for alg in ["HS256", "EdDSA"] {
            assert_refused(
                &server,
                &forge(key, &with(&header, "alg", alg.into()), payload.to_string().as_bytes()),
            )
            .await;
            let mut without = header.clone();
            without.as_object_mut().expect("an object").remove("kid");
            assert_refused(
                &server,
                &forge(key, &with(&without, "alg", alg.into()), payload.to_string().as_bytes()),
            )
            .await;
        }
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_header_that_is_none_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Process::start(folder.path(), &[]).await;
    let token = server.user("reader").await.text("access");
    let good = format!("Bearer {token}");
    server
        .send(server.request(Method::GET, "/api/auth/me/").header("authorization", &good))
        .await
        .expect(200);
    let twice = server.request(Method::GET, "/api/auth/me/").header("authorization", &good);
    server.send(twice.header("authorization", &good)).await.expect(401);
    for value in [
        "Bearer",
        "Bearer ",
        "Bearer\t",
        "Token x",
        &token,
        &format!("Bearer {token} {token}"),
        "Basic YTpi",
        "\u{7f}",
    ] {
        let Ok(value) = reqwest::header::HeaderValue::from_str(value) else { continue };
        let answer =
            server.send(server.request(Method::GET, "/api/auth/me/").header("authorization", value)).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.headers["www-authenticate"], r#"Bearer realm="api""#);
    }
    let raw = reqwest::header::HeaderValue::from_bytes(b"Bearer \xff\xfe").expect("a value");
    server.send(server.request(Method::GET, "/api/auth/me/").header("authorization", raw)).await.expect(401);
}
