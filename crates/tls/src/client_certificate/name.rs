//! Distinguished names as OpenSSL prints them by RFC 2253, and so nginx.

use std::fmt::Write as _;

use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The attributes that have a short name there. Others are told by their number, with their value in hexadecimal.
const SHORT_NAMES: [(&str, &str); 24] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.20", "telephoneNumber"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.45", "x500UniqueIdentifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.97", "organizationIdentifier"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];

/// The last part first, as RFC 2253 has it.
pub(super) fn shown(name: &X509Name<'_>) -> String {
    let parts: Vec<String> =
        name.iter_rdn().map(|part| part.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let number = attribute.attr_type().to_id_string();
    let short = SHORT_NAMES.iter().find(|(known, _)| *known == number).map(|(_, short)| *short);
    let value = attribute.attr_value();
    match (short, text(value)) {
        (Some(short), Some(text)) => format!("{short}={}", escaped(&text)),
        (short, _) => format!("{}={}", short.unwrap_or(&number), hexadecimal(value)),
    }
}

/// The value as UTF-8, if it is a text.
fn text(value: &Any<'_>) -> Option<Vec<u8>> {
    let data = value.data;
    let utf16 = || {
        let units = data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>()
    };
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            Some(data.to_vec())
        }
        // Latin-1, as OpenSSL takes it.
        Tag::T61String => Some(data.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()),
        Tag::BmpString => Some(utf16().into_bytes()),
        _ => None,
    }
}

/// RFC 2253 §2.4, with all that is not visible ASCII in hexadecimal.
fn escaped(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        let (is_first, is_last) = (at == 0, at + 1 == text.len());
        match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => {
                escaped.push('\\');
                escaped.push(char::from(*byte));
            }
            b'#' if is_first => escaped.push_str("\\#"),
            b' ' if is_first || is_last => escaped.push_str("\\ "),
            b' '..=b'~' => escaped.push(char::from(*byte)),
            _ => _ = write!(escaped, "\\{byte:02X}"),
        }
    }
    escaped
}

/// The whole value as it is encoded (RFC 2253 §2.4, `#`).
fn hexadecimal(value: &Any<'_>) -> String {
    let mut text = String::from("#");
    let mut push = |byte: u8| _ = write!(text, "{byte:02X}");
    push(value.header.raw_tag().and_then(|tag| tag.first()).copied().unwrap_or_default());
    let length = value.data.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let significant = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1)..];
            push(0x80 | u8::try_from(significant.len()).unwrap_or_default());
            significant.iter().for_each(|byte| push(*byte));
        }
    }
    value.data.iter().for_each(|byte| push(*byte));
    text
}
