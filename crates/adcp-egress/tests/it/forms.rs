//! Every way to write an address that some program reads as that address.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Hosts of urls, each of which somebody could take for `address`.
pub(crate) fn of(address: IpAddr) -> Vec<String> {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

fn of_v4(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let (bits, low_24, low_16) =
        (address.to_bits(), address.to_bits() & 0xff_ffff, address.to_bits() & 0xffff);
    let [high, low] = [bits >> 16, bits & 0xffff];
    let dotted = address.to_string();
    vec![
        dotted.clone(),
        format!("{dotted}."),
        format!("{dotted}.."),
        // One number, in every base.
        format!("{bits}"),
        format!("0x{bits:x}"),
        format!("0X{bits:08X}"),
        format!("0x0000{bits:08x}"),
        format!("0{bits:o}"),
        format!("000{bits:o}"),
        format!("{bits}."),
        // Two and three numbers.
        format!("{a}.{low_24}"),
        format!("0x{a:x}.0x{low_24:x}"),
        format!("0{a:o}.0{low_24:o}"),
        format!("{a}.{b}.{low_16}"),
        format!("0x{a:x}.{b}.0{low_16:o}"),
        // Four, not in decimal.
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:04}.{b:04}.{c:04}.{d:04}"),
        format!("0{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.0x{d:02x}"),
        format!("{}.{b}.{c}.{d}", u32::from(a) + 256),
        // In another script, or encoded.
        percent_encoded(&dotted),
        dotted.replace('.', "%2e"),
        dotted.replace('.', "\u{3002}"),
        dotted.replace('.', "\u{ff0e}"),
        dotted.chars().map(full_width).collect(),
        dotted.chars().map(circled).collect(),
        // Within an IPv6 address: mapped, compatible, translated, 6to4, Teredo, translators, tunnels.
        format!("[::ffff:{dotted}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:FFFF:{high:04X}:{low:04X}]"),
        format!("[::{dotted}]"),
        format!("[::{high:x}:{low:x}]"),
        format!("[::ffff:0:{dotted}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001::{:x}:{:x}]", !high & 0xffff, !low & 0xffff),
        format!("[2001:0:{high:x}:{low:x}::1]"),
        format!("[64:ff9b::{dotted}]"),
        format!("[64:ff9b::{high:x}:{low:x}]"),
        format!("[64:ff9b:1::{dotted}]"),
        format!("[2a00::5efe:{dotted}]"),
        format!("[2a00::200:5efe:{dotted}]"),
        format!("[fe80::5efe:{dotted}]"),
        // In the wrong brackets, or with something beside it.
        format!("[{dotted}]"),
        format!("1.1.1.1@{dotted}"),
        format!("buyer.example@{dotted}"),
        format!("{dotted}\\@buyer.example"),
        format!("{dotted}%00.buyer.example"),
        format!("{dotted}\t"),
    ]
}

fn of_v6(address: Ipv6Addr) -> Vec<String> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let last = Ipv4Addr::from_bits((u32::from(g) << 16) | u32::from(h));
    vec![
        format!("[{address}]"),
        format!("[{}]", address.to_string().to_uppercase()),
        format!("[{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{g:x}:{h:x}]"),
        format!("[{a:04X}:{b:04X}:{c:04X}:{d:04X}:{e:04X}:{f:04X}:{g:04X}:{h:04X}]"),
        format!("[{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{last}]"),
        format!("[0{a:04x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{g:x}:{h:x}]"),
        format!("[{address}%eth0]"),
        format!("[{address}%25eth0]"),
        format!("[{address}%251]"),
        format!("[{address}%]"),
        format!("[{address}/128]"),
        format!("[{address}]."),
        format!("{address}"),
        format!("%5b{address}%5d"),
        format!("[{}]", percent_encoded(&address.to_string())),
        format!("[{}]", address.to_string().chars().map(full_width).collect::<String>()),
        format!("user@[{address}]"),
    ]
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02x}");
        encoded
    })
}

fn full_width(c: char) -> char {
    match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
        other => other,
    }
}

fn circled(c: char) -> char {
    match c {
        '1'..='9' => char::from_u32(u32::from(c) - 0x31 + 0x2460).unwrap(),
        '0' => '\u{24ea}',
        other => other,
    }
}
