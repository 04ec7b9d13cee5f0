//! Requests and connections as they should not be: they harm no other.

use super::*;

#[tokio::test]
async fn only_get_and_head_are_answered_and_odd_requests_do_no_harm() {
    let admin = start().await;
    let post = exchange(admin.address, "POST /live HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi").await;
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD\r\n"), "{post}");
    let head = exchange(admin.address, "HEAD /routes HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    for odd in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\n",
        "\u{0}\u{1}\r\n\r\n",
        "GET /%zz HTTP/9.9\r\n\r\n",
    ] {
        exchange(admin.address, &format!("{odd}GET x\r\n\r\n")).await;
    }
    assert_eq!(get(admin.address, "/live").await.0, 200);
}

#[tokio::test]
async fn a_client_that_never_speaks_blocks_no_probe() {
    let admin = start().await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(admin.address).await.unwrap());
    }
    assert_eq!(get(admin.address, "/live").await.0, 200);
}

#[tokio::test]
async fn a_full_house_of_silent_clients_is_cleared_by_the_head_timeout() {
    let admin = start().await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(admin.address).await.unwrap());
    }
    let started = std::time::Instant::now();
    assert_eq!(get(admin.address, "/live").await.0, 200);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}
