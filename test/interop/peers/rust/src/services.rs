//! The four `/test/…` protocols, both ends.

use std::{io, time::Instant};

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{Stream, StreamProtocol};
use rand::RngExt;

pub const ECHO: StreamProtocol = StreamProtocol::new("/test/echo/1.0.0");
pub const SINK: StreamProtocol = StreamProtocol::new("/test/sink/1.0.0");
pub const SOURCE: StreamProtocol = StreamProtocol::new("/test/source/1.0.0");
pub const RESET: StreamProtocol = StreamProtocol::new("/test/reset/1.0.0");
pub const PROTOCOLS: [StreamProtocol; 4] = [ECHO, SINK, SOURCE, RESET];

const CHUNK: usize = 64 * 1024;

/// A served protocol that is none of the four (verb `push`) echoes.
pub async fn serve(protocol: StreamProtocol, stream: Stream) {
    let done = match protocol.as_ref() {
        "/test/sink/1.0.0" => sink(stream).await,
        "/test/source/1.0.0" => source(stream).await,
        "/test/reset/1.0.0" => reset(stream).await,
        _ => echo(stream).await,
    };
    if let Err(error) = done {
        eprintln!("{protocol}: {error}");
    }
}

async fn echo(mut stream: Stream) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let n = stream.read(&mut chunk).await?;
        if n == 0 {
            return stream.close().await;
        }
        stream.write_all(&chunk[..n]).await?;
        stream.flush().await?;
    }
}

async fn sink(mut stream: Stream) -> io::Result<()> {
    let count = count_to_end(&mut stream).await?;
    stream.write_all(&count.to_be_bytes()).await?;
    stream.close().await
}

async fn source(mut stream: Stream) -> io::Result<()> {
    let size = read_u64(&mut stream).await?;
    send(&mut stream, size).await?;
    stream.close().await
}

/// rust-yamux resets a stream that is dropped before its write half was closed.
async fn reset(mut stream: Stream) -> io::Result<()> {
    stream.read_exact(&mut [0; 1]).await
}

pub async fn ask_echo(mut stream: Stream, bytes: u64) -> io::Result<bool> {
    let mut sent = vec![0; bytes as usize];
    rand::rng().fill(&mut sent[..]);
    let (mut reader, mut writer) = (&mut stream).split();
    let mut back = Vec::new();
    let write = async {
        writer.write_all(&sent).await?;
        writer.close().await
    };
    futures::try_join!(write, reader.read_to_end(&mut back))?;
    Ok(sent == back)
}

pub struct Moved {
    pub bytes: u64,
    pub seconds: f64,
}

pub async fn ask_sink(mut stream: Stream, size: u64) -> io::Result<Moved> {
    let start = Instant::now();
    send(&mut stream, size).await?;
    stream.close().await?;
    let bytes = read_u64(&mut stream).await?;
    Ok(Moved {
        bytes,
        seconds: start.elapsed().as_secs_f64(),
    })
}

pub async fn ask_source(mut stream: Stream, size: u64) -> io::Result<Moved> {
    let start = Instant::now();
    stream.write_all(&size.to_be_bytes()).await?;
    stream.close().await?;
    let bytes = count_to_end(&mut stream).await?;
    Ok(Moved {
        bytes,
        seconds: start.elapsed().as_secs_f64(),
    })
}

pub async fn ask_duplex(stream: Stream, size: u64) -> io::Result<Moved> {
    let start = Instant::now();
    let (mut reader, mut writer) = stream.split();
    let write = async {
        send(&mut writer, size).await?;
        writer.close().await
    };
    let ((), bytes) = futures::try_join!(write, count_to_end(&mut reader))?;
    Ok(Moved {
        bytes,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Eight bytes there and back, the stream left open.
pub async fn touch(stream: &mut Stream) -> io::Result<()> {
    let mut back = [0; 8];
    stream.write_all(b"kadmesh!").await?;
    stream.flush().await?;
    stream.read_exact(&mut back).await?;
    if &back == b"kadmesh!" {
        Ok(())
    } else {
        Err(io::Error::other("other bytes came back"))
    }
}

pub async fn finish(mut stream: Stream) -> io::Result<()> {
    stream.close().await?;
    count_to_end(&mut stream).await.map(drop)
}

/// rust-yamux reads a reset as an end of stream, but only after a reset do writes fail.
pub async fn ask_reset(mut stream: Stream) -> io::Result<&'static str> {
    stream.write_all(&[1]).await?;
    stream.flush().await?;
    match stream.read(&mut [0; 1]).await {
        Ok(0) if can_write(&mut stream).await => Ok("eof"),
        Ok(0) | Err(_) => Ok("reset"),
        Ok(_) => Err(io::Error::other("data came instead of a reset")),
    }
}

async fn can_write(stream: &mut Stream) -> bool {
    stream.write_all(&[1]).await.is_ok() && stream.flush().await.is_ok()
}

/// One ping of 32 random bytes; the stream stays open for the next one.
pub async fn ask_ping(stream: &mut Stream) -> io::Result<u64> {
    let sent: [u8; 32] = rand::random();
    let mut back = [0; 32];
    let start = Instant::now();
    stream.write_all(&sent).await?;
    stream.flush().await?;
    stream.read_exact(&mut back).await?;
    if sent != back {
        return Err(io::Error::other("other bytes came back"));
    }
    Ok(start.elapsed().as_micros() as u64)
}

async fn send(writer: &mut (impl futures::AsyncWrite + Unpin), size: u64) -> io::Result<()> {
    let chunk = vec![0x5a; CHUNK];
    let mut left = size;
    while left > 0 {
        let n = left.min(CHUNK as u64);
        writer.write_all(&chunk[..n as usize]).await?;
        left -= n;
    }
    writer.flush().await
}

async fn count_to_end(reader: &mut (impl futures::AsyncRead + Unpin)) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK];
    let mut count = 0;
    loop {
        match reader.read(&mut chunk).await? {
            0 => return Ok(count),
            n => count += n as u64,
        }
    }
}

async fn read_u64(stream: &mut Stream) -> io::Result<u64> {
    let mut bytes = [0; 8];
    stream.read_exact(&mut bytes).await?;
    Ok(u64::from_be_bytes(bytes))
}
