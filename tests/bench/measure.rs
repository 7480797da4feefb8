//! What benchmarks of the daemon measure with: a connection that pushes, what a process uses, and quantiles.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Seconds of processor time and the peak of resident memory of a process.
pub fn usage(pid: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    (ticks / 100.0, peak.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0)
}

/// Resident memory of a process now, in MiB: its own, and what it has mapped of files, which the system takes back at will.
pub fn resident(pid: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name));
        line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    };
    (of("RssAnon:"), of("RssFile:"))
}

/// A connection that is kept open.
pub struct Line {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl Line {
    pub fn open(address: SocketAddr) -> Line {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Line { stream: BufReader::new(stream), address }
    }

    pub fn push(&mut self, source: &str, body: &str) {
        let request = format!(
            "POST /api/v1/mentions?source={source} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer push-secret-canary\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        self.stream.read_line(&mut line).unwrap();
        assert!(line.contains(" 200 "), "{line}");
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if line == "\r\n" {
                break;
            }
            if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).unwrap();
    }
}

pub fn quantiles(mut ms: Vec<f64>) -> String {
    if ms.is_empty() {
        return "none seen".to_owned();
    }
    ms.sort_by(f64::total_cmp);
    let at = |q: f64| ms[((ms.len() as f64 * q) as usize).min(ms.len() - 1)];
    format!("p50 {:>6.1} ms   p99 {:>6.1} ms", at(0.5), at(0.99))
}
