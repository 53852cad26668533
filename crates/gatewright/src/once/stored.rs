//! A reply as bytes that a store keeps: what a handler answered, before anything of it was hidden from its caller. Who sees it
//! again is judged again.

use axum::body::Body;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::Problem;
use crate::answer::Fields;
use crate::reply::{Outcome, Reply};

/// A larger answer is not kept. That there was one is.
const MOST: u64 = 64 * 1024;

const NOT_KEPT: u8 = 0;
const PLAIN: u8 = 1;
const PROBLEM: u8 = 2;
const UNKNOWN: u8 = 3;

pub(super) enum Kept {
    Reply(Box<Reply>),
    /// There was one, too large or of a kind that is not kept.
    Nothing,
    /// Something broke on our side, before or after it acted.
    Unknown,
}

/// The bytes of no reply.
pub(super) fn unknown() -> Vec<u8> {
    vec![UNKNOWN]
}

/// The bytes of a reply. What the handler answered is kept, a 5xx too: it knew what it had done.
pub(super) async fn write(reply: &mut Reply) -> Vec<u8> {
    answered(reply).await.unwrap_or_else(unknown)
}

async fn answered(reply: &mut Reply) -> Option<Vec<u8>> {
    let (kind, status, body) = match &mut reply.outcome {
        Outcome::Plain(status, body) => {
            if body.size_hint().exact().is_none_or(|length| length > MOST) {
                return Some(vec![NOT_KEPT]);
            }
            let bytes = std::mem::take(body).collect().await.ok()?.to_bytes();
            *body = Body::from(bytes.clone());
            (PLAIN, *status, bytes.to_vec())
        }
        Outcome::Problem(problem) => (PROBLEM, problem.status, serde_json::to_vec(&of_problem(problem)).ok()?),
        // Who sees it again may see less than he did, and of what is no JSON nothing can be hidden later.
        Outcome::Values(..) => return Some(vec![NOT_KEPT]),
        Outcome::Chosen(_) | Outcome::Internal(_) | Outcome::Refused(_) => return None,
    };
    let mut out = vec![kind];
    out.extend_from_slice(&status.as_u16().to_be_bytes());
    out.extend_from_slice(&u16::try_from(reply.headers.len()).ok()?.to_be_bytes());
    for (name, value) in reply.headers.iter() {
        for part in [name.as_str().as_bytes(), value.as_bytes()] {
            out.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
            out.extend_from_slice(part);
        }
    }
    if out.len() as u64 + body.len() as u64 > 2 * MOST {
        return Some(vec![NOT_KEPT]);
    }
    out.extend_from_slice(&body);
    Some(out)
}

pub(super) fn read(bytes: &[u8]) -> Option<Kept> {
    let mut rest = Rest(bytes);
    let kind = *rest.take(1)?.first()?;
    match kind {
        NOT_KEPT => return Some(Kept::Nothing),
        UNKNOWN => return Some(Kept::Unknown),
        _ => {}
    }
    let status = StatusCode::from_u16(rest.u16()?).ok()?;
    let mut headers = Fields::default();
    for _ in 0..rest.u16()? {
        let name = HeaderName::from_bytes(rest.part()?).ok()?;
        headers.append(name, HeaderValue::from_bytes(rest.part()?).ok()?);
    }
    let outcome = match kind {
        PLAIN => Outcome::Plain(status, Body::from(rest.0.to_vec())),
        PROBLEM => Outcome::Problem(Box::new(problem(status, rest.0)?)),
        _ => return None,
    };
    Some(Kept::Reply(Box::new(Reply { outcome, headers })))
}

struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn part(&mut self) -> Option<&'b [u8]> {
        let length = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
        self.take(usize::try_from(length).ok()?)
    }
}

fn of_problem(problem: &Problem) -> Value {
    json!([problem.kind, problem.title, problem.detail, problem.instance, problem.members])
}

fn problem(status: StatusCode, bytes: &[u8]) -> Option<Problem> {
    let (kind, title, detail, instance, members) = serde_json::from_slice(bytes).ok()?;
    Some(Problem { status, kind, title, detail, instance, members })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntoReply;

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        run(async {
            let mut reply = Reply::body(201, "application/json", "{\"a\":1}");
            let name = HeaderName::from_static("x-a");
            reply.headers.append(name.clone(), HeaderValue::from_bytes(b"\xfc").unwrap());
            reply.headers.append(name, HeaderValue::from_static("2"));
            let bytes = write(&mut reply).await;
            let Some(Kept::Reply(again)) = read(&bytes) else { panic!() };
            assert_eq!(again.headers, reply.headers);
            for reply in [reply, *again] {
                let Outcome::Plain(status, body) = reply.outcome else { panic!() };
                assert_eq!((status.as_u16(), &body.collect().await.unwrap().to_bytes()[..]), (201, &b"{\"a\":1}"[..]));
            }
            let problem = Problem::new(StatusCode::CONFLICT).kind("no-funds").detail("too little").member("left", 5);
            let bytes = write(&mut problem.clone().into_reply()).await;
            let Some(Kept::Reply(again)) = read(&bytes) else { panic!() };
            let Outcome::Problem(again) = again.outcome else { panic!() };
            assert_eq!(*again, problem);
        });
    }

    #[test]
    fn what_broke_is_kept_as_unknown_and_what_is_large_not_whole() {
        run(async {
            for mut said in [Reply::empty(503), Problem::new(StatusCode::BAD_GATEWAY).into_reply()] {
                assert!(matches!(read(&write(&mut said).await), Some(Kept::Reply(_))), "the handler said so");
            }
            let broken = write(&mut crate::Internal::new("x").into_reply()).await;
            assert!(matches!(read(&broken), Some(Kept::Unknown)));
            let mut large = Reply::body(200, "text/plain", "x".repeat(70_000));
            assert!(matches!(read(&write(&mut large).await), Some(Kept::Nothing)));
            for cut in
                [&b""[..], b"\x01", b"\x01\x00\xc8", b"\x01\x00\xc8\x00\x01\x00\x00\x00\x09x", b"\x09\x00\xc8\x00\x00"]
            {
                assert!(read(cut).is_none(), "{cut:?}");
            }
        });
    }
}
