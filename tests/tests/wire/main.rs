//! A generated server, byte by byte: what is framed oddly, sent without end, or looks like one thing and is another. Clients
//! are bare sockets, since no library sends such things.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "clients connect, and take their time")]

mod http1;
mod http2;
mod values;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatewright::server::{Running, Server};
use gatewright::{Config, handler};
use tokio::sync::Semaphore;

mod api {
    gatewright::api!("wire/openapi.yaml");
}

use api::types::Thing;
use api::{add_heap, add_thing, get_page, get_text, get_thing};

/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(60);

/// Counts how often a handler was entered.
#[derive(Default)]
struct Seen(AtomicUsize);

/// Where things wait to be let go.
struct App {
    seen: Arc<Seen>,
    go: Arc<Semaphore>,
}

#[handler(api::GetThing)]
async fn get_thing(app: &App, request: get_thing::Request) -> get_thing::Result {
    use get_thing::Response;
    app.seen.0.fetch_add(1, Ordering::SeqCst);
    Ok(match request.id {
        204 => Response::NoContent,
        302 => Response::Found(get_thing::FoundHeaders { location: "/things/1".into() }),
        304 => Response::NotModified,
        408 => {
            app.go.acquire().await.unwrap().forget();
            Response::NoContent
        }
        _ => Response::Ok(Thing { whole: Some(7), ..Thing::default() }),
    })
}

#[handler(api::GetText)]
async fn get_text(_: &App) -> get_text::Result {
    Ok(get_text::Response::Ok("häuser".into()))
}

#[handler(api::GetPage)]
async fn get_page(_: &App) -> get_page::Result {
    Ok(get_page::Response::Ok(api::types::GetPageResponse { word: "häuser".into() }))
}

#[handler(api::AddThing)]
async fn add_thing(app: &App, _: add_thing::Request) -> add_thing::Result {
    app.seen.0.fetch_add(1, Ordering::SeqCst);
    Ok(add_thing::Response::NoContent)
}

#[handler(api::AddHeap)]
async fn add_heap(app: &App, _: add_heap::Request) -> add_heap::Result {
    app.seen.0.fetch_add(1, Ordering::SeqCst);
    Ok(add_heap::Response::NoContent)
}

/// A server on a port of its own, in a runtime of its own.
struct Wire {
    address: SocketAddr,
    seen: Arc<Seen>,
    go: Arc<Semaphore>,
    running: Option<Running>,
    runtime: tokio::runtime::Runtime,
}

impl Wire {
    fn new() -> Wire {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (seen, go) = (Arc::new(Seen::default()), Arc::new(Semaphore::new(0)));
        let app = App { seen: seen.clone(), go: go.clone() };
        let running = runtime.block_on(async {
            let router = api::router(app, Config::new()).unwrap();
            Server::new(router).plain(([127, 0, 0, 1], 0).into()).unwrap()
        });
        Wire { address: running.address(), seen, go, running: Some(running), runtime }
    }

    fn entered(&self) -> usize {
        self.seen.0.load(Ordering::SeqCst)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends this and reads until the server closes; what it refuses to read counts as sent.
    fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "it closes: {error}"),
        }
        answer
    }

    fn text(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(&self.send(bytes)).into_owned()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.go.add_permits(10_000);
        let running = self.running.take().unwrap();
        self.runtime.block_on(running.stop(LONG)).unwrap();
    }
}
