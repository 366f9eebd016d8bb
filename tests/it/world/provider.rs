//! An identity provider: a small OpenID Connect server that publishes its keys and issues tokens over HTTP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// For whom the tokens are.
pub const AUDIENCE: &str = "copartner";
/// Made for these tests and used nowhere else; RSA, 2,048 bits.
const RSA: &str = "\
    MIIEpQIBAAKCAQEA6JyPriwywoeQ3ZhDPiynkGVBYgrL+jVcnoLvNpDIRrmnkMhNYfuuL58BgSZw8sCphE0S2+uvZx\
    B6C1m68oao1rQq8enUtE5Nw8kLJFudtX+lfg4p78T/iTBsU/iYmJhBtCOtY4b6ujFNUajTvq08AUwmMX3yJiZYpbOy\
    XQ3oBmk/yEs+l+AIH26e/l0cFlEOmlNE0raIwqwc5QiPguM9dxaUY9XGSU9fSsiNxj2F0GSf6eLw6Ze5eyNzqIJoJf\
    yB3sj+rlHTBOYS+VewRJ45Fi+65rvIzk7sVKU4tjTVlFzW3jh4DMX+TL3i/xSfAjnau6s+tfRrD3pc/UC+5crneQID\
    AQABAoIBACWzpIUcNFD71JLaGEIGTlV01/NaYSPJjNzDR57uOgvekQaCNKqmNp4Q1VdXwfRSnlcrf9xF18zqaoGW9l\
    pTUZ/VHWXO2tMrouaSGhx3PflaOlpTVOBAK5PSlahJkYAgI3wdUT/hs5dEoO3UoZdU8DYcn88jRQGCcxlOZiE3fQ02\
    qE0/eIc548LwzV6ThTntCOZy1bl2Oixfpt+VYLLyLso1KSyUFLo8eUyMJdDIvhc0jr2xltB9EBPDxOAj5xOPEbZjHj\
    OdiTH0sjvKNU8XcytNqOVGiwtn5ckJYTOnIi4ebVN7ReCPxUTzuygE7NOZoPr6x3PmkILCKxcBNdnp0TUCgYEA9LRW\
    gZdbI3RdBeK8e0c10o7kQkIjqNtqxAstLa/o3Rh/lvMT/1tFncrwE8b4VNMUivv3GA8tQ4kqm7AhX/VvuBVruPiL4E\
    atHOB41rrEOHovSC9b7Xw661izx4ra8M+CTFAz2jSDpZ18GUd712Uj9FwM1epe9J8qF/zjWMSbN/0CgYEA81lSgxu0\
    z6H5sGdiMFuozeHhAzho5o13sxCkoBXrbCnJgEyz40zkauNjK98YS6CvgJwXtaQEru9FPpFQLLJTrQemV6pLtbJyMf\
    HXZPOp+eQuL4/t/i7Z0KDdKXImYIrUWUimF6VbDB5RQ4hMQkDx53GAQu3j6VRSnGWueFD/UC0CgYEA8+i9QTbIlTJr\
    dm5mSMrWDyZ2xsR+HtV2OiqZwaxRg+/jXWa1TBaB8aJSYqQ06vfqxg4YYVbfWy3h1oVc/vT5gpd3ZEv5wHcyHlJwoD\
    hRVaoUbvMlwjXN1L/5krAJQ3bS/ZYD2T/26KFtDRV/j1c022DVOnP+af4sSvS698Qgo1ECgYEAkP6yzE3Q4TpotPQU\
    rC2hGfMxiCKvVlgKb1ZGUOBeotcPKfQJ5zBklU+hQn2uUzmN+LqI4gC1jaohfxNESy2B8AIz2d4tODj4E8w+g/cvWy\
    bbYhmHO8GcpNOEk3JhbXqq5fwEguhSpJjX4L4wefWKbVXSj46BEwDcLDXly+ivB40CgYEA3VfQ6UeU/eTeEig0jMrT\
    6xNTKqgfGcvpO09qCSWSykqyiwXQ9NijlXM2Fed5ZFnTygSjNYFokdARdoAale3VcKJ+G0Sv8Lyta1eMJUUPtPFI4/\
    hZrTQ2cLVQiSsDfRITV3biR1O3F0ls21ARwaULlwrXT2qMdP9hDM6gCk9A+40=";
/// What comes before the 32 bytes of an Ed25519 key in PKCS #8.
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A key that a provider signs with.
#[derive(Clone)]
pub struct ProviderKey {
    /// Its id.
    pub id: String,
    /// How it signs.
    pub algorithm: Algorithm,
    key: EncodingKey,
}

impl ProviderKey {
    /// An RSA key, as most providers have.
    pub fn rsa(id: &str) -> Self {
        let der = STANDARD.decode(RSA).unwrap();
        Self {
            id: id.to_owned(),
            algorithm: Algorithm::RS256,
            key: EncodingKey::from_rsa_der(&der),
        }
    }

    /// An Ed25519 key of these bytes.
    pub fn ed25519(id: &str, seed: u8) -> Self {
        Self {
            id: id.to_owned(),
            algorithm: Algorithm::EdDSA,
            key: EncodingKey::from_ed_der(&[&PKCS8_HEAD[..], &[seed; 32]].concat()),
        }
    }

    /// Its public half as it is published.
    pub fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.clone());
        serde_json::to_value(jwk).unwrap()
    }

    /// A token of these claims.
    pub fn sign(&self, claims: &Value) -> String {
        let header = Header {
            kid: Some(self.id.clone()),
            ..Header::new(self.algorithm)
        };
        self.sign_with(&header, claims)
    }

    /// A token of these claims with a header of one's own.
    pub fn sign_with(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }
}

/// How the provider answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Well,
    /// With this status and nothing useful.
    Status(u16),
    /// It sends whoever asks elsewhere.
    Redirect(String),
    /// Ten megabytes of keys that are none.
    Endless,
    /// It takes the request and says nothing.
    Silent,
}

struct Shared {
    mood: Mutex<Mood>,
    keys: Mutex<Vec<ProviderKey>>,
    asked: AtomicUsize,
    over: AtomicBool,
}

/// A listening provider; dropping it stops it.
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Provider {
    /// Starts a provider with these keys.
    pub fn start(keys: &[ProviderKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Well),
            keys: Mutex::new(keys.to_vec()),
            asked: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let state = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            // Those who got no answer keep their connection until the end.
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                if state.over.load(Ordering::Acquire) {
                    return;
                }
                kept.extend(answer(&state, stream.unwrap()));
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// Who issues the tokens.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/jwks.json", self.issuer())
    }

    /// How it answers from now on.
    pub fn set_mood(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// The keys that it publishes from now on; it signs with the first.
    pub fn set_keys(&self, keys: &[ProviderKey]) {
        *self.shared.keys.lock().unwrap() = keys.to_vec();
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::Acquire)
    }

    /// What stands in a token about somebody, good for an hour.
    pub fn claims(&self, subject: &str, email: &str, now: DateTime<Utc>) -> Value {
        json!({
            "iss": self.issuer(), "aud": AUDIENCE, "sub": subject, "email": email, "email_verified": true,
            "name": "Ada Okafor", "iat": now.timestamp(), "exp": (now + TimeDelta::hours(1)).timestamp()
        })
    }

    /// An ID token about somebody, got over HTTP as a client gets it, good for an hour.
    pub fn token(&self, subject: &str, email: &str, now: DateTime<Utc>) -> String {
        let claims = self.claims(subject, email, now).to_string();
        let mut response = ureq::post(format!("{}/token", self.issuer()))
            .send(claims)
            .unwrap();
        let answer: Value = response.body_mut().read_json().unwrap();
        answer["id_token"].as_str().unwrap().to_owned()
    }

    /// What the service is told of this provider.
    pub fn settings(&self) -> Value {
        json!({
            "name": "Staff", "issuer": self.issuer(), "audiences": [AUDIENCE], "jwks_url": self.jwks_url()
        })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers one request; gives the connection back when it is left without an answer.
fn answer(shared: &Shared, mut stream: TcpStream) -> Option<TcpStream> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (path, body) = request(&mut stream);
    if path == "/token" {
        let key = shared.keys.lock().unwrap()[0].clone();
        let token = key.sign(&serde_json::from_str(&body).unwrap());
        let answer = json!({ "token_type": "Bearer", "id_token": token });
        reply(&mut stream, "200 OK", "", &answer.to_string());
        return None;
    }
    shared.asked.fetch_add(1, Ordering::AcqRel);
    let mood = shared.mood.lock().unwrap().clone();
    match mood {
        Mood::Silent => return Some(stream),
        Mood::Status(status) => reply(&mut stream, &format!("{status} No"), "", "{}"),
        Mood::Redirect(to) => reply(&mut stream, "302 Found", &format!("Location: {to}\r\n"), "{}"),
        Mood::Endless => {
            let filler = "x".repeat(10 * 1024 * 1024);
            reply(
                &mut stream,
                "200 OK",
                "",
                &json!({ "keys": [], "more": filler }).to_string(),
            );
        }
        Mood::Well => {
            let keys: Vec<Value> = shared
                .keys
                .lock()
                .unwrap()
                .iter()
                .map(ProviderKey::public)
                .collect();
            reply(&mut stream, "200 OK", "", &json!({ "keys": keys }).to_string());
        }
    }
    None
}

fn request(stream: &mut TcpStream) -> (String, String) {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        text += &String::from_utf8_lossy(&buffer[..read]);
        let whole = text
            .split_once("\r\n\r\n")
            .is_some_and(|(head, body)| body.len() >= length(head));
        if read == 0 || whole {
            break;
        }
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    (path.to_owned(), body.to_owned())
}

fn length(head: &str) -> usize {
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    };
    head.lines().find_map(named).unwrap_or(0)
}

/// The asker may hang up in the middle, which is its right.
fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}Connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
}
