//! `kill -9` while a request is on its way.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::bench::Bench;
use crate::flow::{Ended, Flow, PATIENCE};
use crate::oracle::outputs;

/// A request: its line, and its headers by their names in small letters.
struct Asked {
    line: String,
    headers: BTreeMap<String, String>,
    stream: TcpStream,
}

/// A server that hands on what arrives, and answers when it is told to.
struct Door {
    port: u16,
    asked: Receiver<Asked>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, asked) = channel();
        Self {
            port,
            asked,
            thread: Some(std::thread::spawn(move || stand(&listener, &tell))),
        }
    }

    fn url(&self) -> String {
        format!("url=http://127.0.0.1:{}/fox", self.port)
    }

    /// Waits for a request.
    fn next(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).unwrap()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // One that says nothing ends it.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn stand(listener: &TcpListener, tell: &Sender<Asked>) {
    while let Ok((mut stream, _)) = listener.accept() {
        let Some((line, headers)) = read(&mut stream) else {
            return;
        };
        let asked = Asked {
            line,
            headers,
            stream,
        };
        if tell.send(asked).is_err() {
            return;
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<(String, BTreeMap<String, String>)> {
    let mut bytes = Vec::new();
    let mut some = [0; 1024];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.split("\r\n");
            let line = lines.next()?.to_owned();
            let headers = lines.filter_map(|line| line.split_once(": "));
            let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
            let headers: BTreeMap<String, String> = headers.collect();
            let length = headers.get("content-length")?.parse::<usize>().ok()?;
            if body.len() >= length {
                return Some((line, headers));
            }
        }
        match stream.read(&mut some) {
            Ok(read @ 1..) => bytes.extend_from_slice(&some[..read]),
            Ok(0) | Err(_) => return None,
        }
    }
}

impl Asked {
    fn answer(mut self, status: &str, body: &str) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n\r\n{body}");
        // Who was killed doesn't listen.
        self.stream.write_all(head.as_bytes()).ok();
    }
}

fn bench() -> Bench {
    let bench = Bench::new();
    let allow = "[allow]\nhosts = [\"127.0.0.1\"]\n";
    std::fs::write(bench.path("flow.toml"), allow).unwrap();
    bench
}

fn running(bench: &Bench, file: &str, door: &Door) -> Flow {
    let flow = bench.flow().args(["run", file, &door.url()]);
    flow.args(["--format", "json", "--store"])
        .args([bench.store()])
}

/// Kills a run whose request has arrived; returns its name.
fn killed(flow: Flow, door: &Door) -> (String, Asked) {
    let started = flow.start();
    let asked = door.next();
    let run = started.run();
    started.kill();
    let ended: Ended = started.end();
    assert!(ended.is_killed());
    (run, asked)
}

#[test]
fn a_request_whose_sender_was_killed_goes_again_under_the_same_key() {
    let (bench, door) = (bench(), Door::open());
    let (run, first) = killed(running(&bench, "request.flow", &door), &door);
    // The server breaks down meanwhile, and so does who asks again.
    let (again, second) = killed(bench.resume(&run), &door);
    assert_eq!(again, run);
    let third = bench.resume(&run).start();
    let broken = door.next();
    let keys = [&first, &second, &broken].map(|asked| {
        assert_eq!(asked.line, "POST /fox HTTP/1.1");
        asked.headers["idempotency-key"].clone()
    });
    broken.answer("503", "later");
    let last = door.next();
    assert!(
        keys.iter()
            .all(|key| *key == last.headers["idempotency-key"])
    );
    last.answer("200", "done");
    let ended = third.end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    assert_eq!(outputs(&ended), "done");

    // Another run is another act.
    let other = running(&bench, "request.flow", &door).start();
    let asked = door.next();
    assert_ne!(keys[0], asked.headers["idempotency-key"]);
    asked.answer("200", "too");
    assert_eq!(outputs(&other.end()), "too");
}

#[test]
fn a_request_that_nobody_knows_again_is_not_sent_again() {
    let (bench, door) = (bench(), Door::open());
    let (run, asked) = killed(running(&bench, "request_once.flow", &door), &door);
    assert_eq!(asked.headers.get("idempotency-key"), None);
    let ended = bench.resume(&run).end();
    assert_eq!(ended.code(), Some(6), "{ended:#?}");
    assert!(door.asked.try_recv().is_err(), "it was sent once");
}
