//! reqwest, or with an address in place of a URL tonic: `clients URL CA MODE SECONDS`.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use bytes::{Buf, BufMut, Bytes};
use futures_util::stream::{self, Stream};
use tokio::time::sleep;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

type Failed = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
enum Client {
    Web(reqwest::Client, String),
    Calls(Channel),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let args: Vec<String> = std::env::args().collect();
    let [_, url, authority, mode, seconds] = &args[..] else { return Err("URL CA MODE SECONDS".into()) };
    let end = Instant::now() + Duration::from_secs_f64(seconds.parse()?);
    let (client, library) = client(url, &std::fs::read(authority)?).await?;
    let many = if mode == "parallel" { 8 } else { 1 };
    let loops = (0..many).map(|_| tokio::spawn(ask_until(end, client.clone(), mode.clone())));
    let (mut requests, mut why) = (0, BTreeMap::<String, usize>::new());
    for done in loops.collect::<Vec<_>>() {
        let (asked, failed) = done.await?;
        requests += asked;
        for text in failed {
            *why.entry(text).or_default() += 1;
        }
    }
    let lost: usize = why.values().sum();
    let lock = include_str!("../Cargo.lock");
    let version = lock.split_once(&format!("name = \"{library}\"\nversion = \"")).map_or("", |(_, rest)| rest);
    let version = version.split('"').next();
    println!("{}", serde_json::json!({ "version": version, "requests": requests, "lost": lost, "why": why }));
    Ok(())
}

async fn client(url: &str, authority: &[u8]) -> Result<(Client, &'static str), Failed> {
    if url.contains("://") {
        let authority = reqwest::Certificate::from_pem(authority)?;
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([authority]);
        return Ok((Client::Web(client.build()?, url.to_owned()), "reqwest"));
    }
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority));
    let channel = Channel::from_shared(format!("https://{url}"))?.tls_config(tls)?;
    Ok((Client::Calls(channel.connect().await?), "tonic"))
}

async fn ask_until(end: Instant, client: Client, mode: String) -> (usize, Vec<String>) {
    let (mut asked, mut failed) = (0, Vec::new());
    while Instant::now() < end {
        asked += 1;
        if let Err(why) = ask(&client, mode == "upload").await {
            failed.push(why.to_string());
            sleep(Duration::from_millis(5)).await;
        }
        if mode == "pause" {
            let random = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.subsec_nanos() / 1000 % 450);
            sleep(Duration::from_millis(50 + u64::from(random))).await;
        }
    }
    (asked, failed)
}

async fn ask(client: &Client, upload: bool) -> Result<(), Failed> {
    match client {
        Client::Web(client, url) => {
            let request = if upload {
                let pieces = drip(Bytes::from_static(&[b'x'; 100]));
                client.post(url).body(reqwest::Body::wrap_stream(pieces))
            } else {
                client.get(url)
            };
            let answer = request.send().await.map_err(|error| causes(&error))?;
            let (status, version) = (answer.status(), answer.version());
            answer.bytes().await.map_err(|error| causes(&error))?;
            if status != 200 || version != http::Version::HTTP_2 {
                return Err(format!("{version:?} {status}").into());
            }
        }
        Client::Calls(channel) => {
            let mut client = tonic::client::Grpc::new(channel.clone());
            client.ready().await?;
            let path = http::uri::PathAndQuery::from_static("/test.Test/Ask");
            if upload {
                let pieces = futures_util::StreamExt::map(drip(Bytes::new()), |piece| piece.unwrap_or_default());
                client.client_streaming(tonic::Request::new(pieces), path, Raw).await?;
            } else {
                client.unary(tonic::Request::new(Bytes::new()), path, Raw).await?;
            }
        }
    }
    Ok(())
}

/// A body that comes in pieces.
fn drip(piece: Bytes) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::unfold(0, move |sent| {
        let piece = piece.clone();
        async move {
            if sent == 10 {
                return None;
            }
            sleep(Duration::from_millis(20)).await;
            Some((Ok(piece), sent + 1))
        }
    })
}

fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = cause.to_string();
        next = cause.source();
    }
    text
}

/// Messages as they are.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
