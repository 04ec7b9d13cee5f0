//! What browsers send.

use super::{Case, Stricter, but, same};

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    same("Chrome navigates", b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: de-DE,de;q=0.9\r\n\r\n"),
    same("Firefox navigates", b"GET /x HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0\r\nAccept: text/html,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nDNT: 1\r\nConnection: keep-alive\r\nPriority: u=0, i\r\n\r\n"),
    same("Safari navigates", b"GET /x HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nUpgrade-Insecure-Requests: 1\r\nCookie: a=b\r\nAccept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\r\n"),
    same("a preflight of CORS", b"OPTIONS /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nAccept: */*\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization,content-type\r\nAccess-Control-Request-Private-Network: true\r\nOrigin: http://b\r\n\r\n"),
    same("an upload of a form", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 136\r\nContent-Type: multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk\r\nOrigin: null\r\n\r\n------WebKitFormBoundary7MA4YWxk\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\xe4.txt\"\r\n\r\nhi\r\n------WebKitFormBoundary7MA4YWxk--\r\n"),
    same("a form with a quoted boundary", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Type: multipart/mixed; boundary=\"gc0p4Jq0M2Yt08j34c0p; =\"\r\n\r\n"),
    same("a form", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\nReferer: http://a/\r\n\r\na=1&b=2"),
    same("a beacon", b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 2\r\nSec-Fetch-Mode: no-cors\r\n\r\n{}"),
    same("a piece of a video", b"GET /x HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\nAccept-Encoding: identity;q=1, *;q=0\r\nIf-Range: \"abc\"\r\n\r\n"),
    same("an event stream", b"GET /x HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\nLast-Event-ID: 7\r\n\r\n"),
    same("Internet Explorer 6", b"GET /x HTTP/1.1\r\nAccept: */*\r\nAccept-Language: en-us\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n"),
    same("a referrer that is not escaped", b"GET /x HTTP/1.1\r\nHost: a\r\nReferer: http://a/\xe4?q=<\"x\">\r\n\r\n"),
    same("a conditional request", b"GET /x HTTP/1.1\r\nHost: a\r\nIf-None-Match: W/\"5e\", \"6f\"\r\nIf-Modified-Since: Sat, 28 Nov 2026 09:00:00 GMT\r\n\r\n"),
    same("arrays of jQuery", b"GET /x?a[]=1&b[c]=2 HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("a bar in a query", b"GET /css?family=Open+Sans:400,700|Roboto HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("JSON in a query as browsers escape it", b"GET /x?q={%22a%22:[1]} HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("quotes in a query", b"GET /x?q=it's%27 HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("a bar and brackets in a path", b"GET /a|b[1] HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("an empty query", b"GET /x? HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("two question marks", b"GET /x?a?b=/c HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("a session in the path", b"GET /x;jsessionid=1A;v=2 HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("a tilde, an at and a plus", b"GET /~u/@s+t/a:b,c=d&e$!*() HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("escaped UTF-8", b"GET /%E4%BD%A0?q=%e4%bd%a0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    same("two fields of cookies", b"GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"),
    same("cookies of all kinds", b"GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=\"q v\"; b={\"j\":1}; c=\xe4; d; =e; f=;; g=1,2\r\n\r\n"),
    but("a WebSocket is asked for", b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nPragma: no-cache\r\nUpgrade: websocket\r\nOrigin: http://a\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n", (Stricter, Stricter), "what stands behind a wish for another protocol is no request if the upstream was asked for that protocol and has declined"),
    but("Firefox asks for a WebSocket", b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", (Stricter, Stricter), "what stands behind a wish for another protocol is no request if the upstream was asked for that protocol and has declined"),
    same("a call of gRPC-Web", b"POST /p.S/M HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\nX-Grpc-Web: 1\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0"),
];
