//! A relay before the queue and the store, so that either can be away: all of its connections are cut at once, and
//! what is asked of it is cut until it is back. What it knew it still knows, as a service with a database does.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What can be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Queue,
    Store,
}

/// One client's connection, and the one to the server that belongs to it.
struct Pair {
    client: TcpStream,
    server: TcpStream,
    is_store: AtomicBool,
    is_cut: AtomicBool,
}

#[derive(Default)]
struct Shared {
    pairs: Mutex<Vec<Arc<Pair>>>,
    queue_away: AtomicBool,
    store_away: AtomicBool,
}

pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

impl Relay {
    /// Stands before a server on this machine.
    pub fn start(root_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = root_url.trim_start_matches("http://").to_owned();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                accepting.relay(client, server);
            }
        });
        Self { port, shared }
    }

    pub fn root_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills a part, and brings it back after a while.
    pub fn kill(&self, part: Part, away: Duration) {
        let flag = self.shared.flag(part);
        flag.store(true, Ordering::SeqCst);
        for pair in self.shared.pairs.lock().unwrap().iter() {
            if pair.part() == part {
                pair.cut();
            }
        }
        std::thread::sleep(away);
        flag.store(false, Ordering::SeqCst);
    }
}

impl Shared {
    fn flag(&self, part: Part) -> &AtomicBool {
        match part {
            Part::Queue => &self.queue_away,
            Part::Store => &self.store_away,
        }
    }

    fn relay(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let pair = Arc::new(Pair {
            client,
            server,
            is_store: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
        });
        let mut pairs = self.pairs.lock().unwrap();
        pairs.retain(|pair| !pair.is_cut.load(Ordering::SeqCst));
        pairs.push(Arc::clone(&pair));
        drop(pairs);
        let (shared, forth) = (Arc::clone(self), Arc::clone(&pair));
        std::thread::spawn(move || {
            let mut block = vec![0; 64 << 10];
            while let Ok(read @ 1..) = (&forth.client).read(&mut block) {
                forth.look(&block[..read]);
                let is_away = shared.flag(forth.part()).load(Ordering::SeqCst);
                if is_away || (&forth.server).write_all(&block[..read]).is_err() {
                    break;
                }
            }
            forth.cut();
        });
        std::thread::spawn(move || {
            let mut block = vec![0; 64 << 10];
            while let Ok(read @ 1..) = (&pair.server).read(&mut block) {
                if (&pair.client).write_all(&block[..read]).is_err() {
                    break;
                }
            }
            pair.cut();
        });
    }
}

impl Pair {
    /// Whose request it is that begins here, if one does.
    fn look(&self, bytes: &[u8]) {
        if bytes.starts_with(b"PUT /_store") {
            self.is_store.store(true, Ordering::SeqCst);
        } else if [b"GET ".as_slice(), b"POST ", b"PUT "].iter().any(|method| bytes.starts_with(method)) {
            self.is_store.store(false, Ordering::SeqCst);
        }
    }

    fn part(&self) -> Part {
        if self.is_store.load(Ordering::SeqCst) { Part::Store } else { Part::Queue }
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}
