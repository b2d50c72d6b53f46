//! A server that has each fixture at `/NAME`, and 404 for everything else.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use super::mismatch::shared;

/// Starts it on a thread that lives as long as the tests, and says where it is.
pub(crate) fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            // A client that leaves early is no failure of the server.
            std::thread::spawn(move || serve(socket));
        }
    });
    origin
}

fn serve(mut socket: TcpStream) -> std::io::Result<()> {
    let mut head = BufReader::new(socket.try_clone()?).lines();
    let request = head.next().transpose()?.unwrap_or_default();
    for line in head {
        if line?.is_empty() {
            break;
        }
    }
    let name = request.strip_prefix("GET /").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let known = !name.is_empty() && !name.contains('/');
    let (status, body) = match std::fs::read(shared("fixtures").join(name)).ok().filter(|_| known) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    write!(socket, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    socket.write_all(&body)
}
