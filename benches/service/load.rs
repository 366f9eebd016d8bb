//! Load over HTTP/1.1: one thread and one kept connection for each client, one request at a time on each.

use super::Fault;
use super::operations::Requests;
use super::settings::Settings;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What a contestant did in one round.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// How often it was done.
    pub count: u64,
    /// How often per second.
    pub per_second: u64,
    /// The median time of one, in microseconds.
    pub median: u64,
    /// The time that 99 of 100 kept, in microseconds.
    pub percentile_99: u64,
}

impl Measured {
    /// The figures of times in microseconds.
    pub fn of(mut times: Vec<u64>, count: u64, per_second: u64) -> Result<Self, Fault> {
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
        let (Some(median), Some(percentile_99)) = (at(50), at(99)) else {
            return Err("nothing was measured".into());
        };
        Ok(Self {
            count,
            per_second,
            median: *median,
            percentile_99: *percentile_99,
        })
    }
}

/// Loads the service for one round; an answer of another status than expected ends it.
pub fn run(address: SocketAddr, requests: &Requests, settings: &Settings) -> Result<Measured, Fault> {
    let started = Instant::now();
    let end = started + settings.duration;
    let clients = usize::try_from(settings.clients)?;
    let times = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|_| scope.spawn(move || one_client(address, requests, end)))
            .collect();
        let mut times = Vec::new();
        for thread in threads {
            times.extend(thread.join().map_err(|_| "a client panicked")??);
        }
        Ok::<_, Fault>(times)
    })?;
    let (count, elapsed) = (u64::try_from(times.len())?, micros(started.elapsed()));
    Measured::of(times, count, count * 1_000_000 / elapsed.max(1))
}

fn one_client(address: SocketAddr, requests: &Requests, end: Instant) -> Result<Vec<u64>, Fault> {
    let mut connection = Connection::open(address)?;
    let mut times = Vec::with_capacity(100_000);
    while Instant::now() < end {
        let request = requests.next()?;
        let started = Instant::now();
        let status = connection.ask(&request)?;
        times.push(micros(started.elapsed()));
        if status != requests.status {
            return Err(format!("{status}: {}", connection.body()).into());
        }
    }
    Ok(times)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A kept connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    head: usize,
    filled: usize,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> Result<Self, Fault> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 1024 * 1024],
            head: 0,
            filled: 0,
        })
    }

    /// Sends a request and reads the answer to its end; its status.
    pub fn ask(&mut self, request: &[u8]) -> Result<u16, Fault> {
        self.stream.write_all(request)?;
        (self.head, self.filled) = (0, 0);
        while self.head == 0 {
            let from = self.filled.saturating_sub(3);
            self.read_more()?;
            let ends = self.buffer[from..self.filled]
                .windows(4)
                .position(|four| four == b"\r\n\r\n");
            self.head = ends.map_or(0, |at| from + at + 4);
        }
        let head = std::str::from_utf8(&self.buffer[..self.head])?;
        let status = head.get(9..12).ok_or("no status")?.parse()?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then_some(value)
        });
        let end = self.head + length.ok_or("an answer without a length")?.parse::<usize>()?;
        while self.filled < end {
            self.read_more()?;
        }
        Ok(status)
    }

    /// A header of the last answer.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(&self.buffer[..self.head]).into_owned();
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }

    /// The body of the last answer.
    pub fn body(&self) -> String {
        String::from_utf8_lossy(&self.buffer[self.head..self.filled]).into_owned()
    }

    fn read_more(&mut self) -> Result<(), Fault> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        match self.stream.read(&mut self.buffer[self.filled..])? {
            0 => Err("the service closed the connection".into()),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }
}
