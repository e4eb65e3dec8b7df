//! What holds of urls whatever they are.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use adcp_egress::{Egress, special_purpose_blocks};
use proptest::prelude::*;

use crate::forms;

static EGRESS: LazyLock<Egress> = LazyLock::new(|| Egress::builder().build().unwrap());

/// Text made of what urls are made of, and of what makes them ambiguous.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "https",
            "http",
            "HTTPS",
            "://",
            ":",
            "/",
            "//",
            "\\",
            "@",
            "?",
            "#",
            "[",
            "]",
            "%",
            "%25",
            "%2e",
            ".",
            "..",
            "0",
            "1",
            "127",
            "10",
            "0x7f",
            "017",
            "2130706433",
            "::1",
            "::ffff:",
            "fe80::1",
            "64:ff9b::",
            "443",
            "65536",
            "buyer",
            "example",
            "localhost",
            "xn--",
            "-",
            "_",
            "\u{3002}",
            "\u{ff11}",
            " ",
            "\t",
            "\0",
            "{",
            "}",
            "\"",
            "|",
        ])
        .prop_map(str::to_owned),
        "[a-z0-9.:-]{1,8}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), pieces(), pieces().prop_map(|text| format!("https://{text}"))]
}

/// A url that is as it should be, and its parts as they should be read.
fn admissible() -> impl Strategy<Value = (String, String, u16, String)> {
    let host = "[a-zA-Z0-9_]{1,9}(-[a-zA-Z0-9]{1,5})?(\\.[a-zA-Z0-9]{1,9}){0,3}\\.[a-zA-Z]{2,9}";
    let path = "(/([a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2}){0,8}){0,3}";
    let query = "(\\?([a-zA-Z0-9._~!$&'()*+,;=:@/?|{}\\[\\]-]|%[0-9a-fA-F]{2}){0,12})?";
    let scheme = prop::sample::select(vec!["https", "HTTPS", "hTTps"]);
    (scheme, host, prop::option::of(1_u16..), path, query).prop_map(|(scheme, host, port, path, query)| {
        let written = port.map(|port| format!(":{port}")).unwrap_or_default();
        let slash = if path.is_empty() { "/" } else { "" };
        let url = format!("{scheme}://{host}{written}{path}{query}");
        (url, host.to_ascii_lowercase(), port.unwrap_or(443), format!("{slash}{path}{query}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_admitted_is_sound(text in anything()) {
        if let Ok(url) = EGRESS.admits(&text) {
            prop_assert!(url.as_str().starts_with("https://") && url.scheme() == "https");
            prop_assert!(url.as_str().is_ascii() && !url.authority().contains(['@', '%', '\\', '#', '/', '?']));
            prop_assert!(!url.authority().is_empty() && url.port() > 0 && url.target().starts_with('/'));
            prop_assert_eq!(format!("{}{}", url.origin(), url.target()), url.as_str());
            prop_assert_eq!(EGRESS.admits(url.as_str()), Ok(url));
        }
    }

    #[test]
    fn what_is_admitted_is_read_the_same_by_another_reader(text in anything()) {
        if let Ok(url) = EGRESS.admits(&text) {
            let other: http::Uri = url.as_str().parse().unwrap();
            prop_assert_eq!(other.scheme_str(), Some(url.scheme()));
            prop_assert_eq!(other.authority().map(|authority| authority.as_str()), Some(url.authority()));
            prop_assert_eq!(other.port_u16().unwrap_or(443), url.port());
            prop_assert_eq!(other.path_and_query().map(|target| target.as_str()), Some(url.target()));
        }
    }

    #[test]
    fn a_url_as_it_should_be_is_admitted((text, host, port, target) in admissible()) {
        let url = EGRESS.admits(&text).unwrap();
        let authority = if port == 443 { host } else { format!("{host}:{port}") };
        prop_assert_eq!(url.authority(), authority);
        prop_assert_eq!((url.port(), url.target()), (port, target.as_str()));
    }

    #[test]
    fn no_special_ipv4_address_is_admitted(row in any::<prop::sample::Index>(), bits in any::<u32>()) {
        let rows: Vec<_> = special_purpose_blocks().iter().filter(|block| block.network.first().is_ipv4()).collect();
        let network = rows[row.index(rows.len())].network;
        let IpAddr::V4(first) = network.first() else { unreachable!("filtered") };
        let tail = u32::MAX.checked_shr(network.prefix().into()).unwrap_or(0);
        let address = Ipv4Addr::from_bits(first.to_bits() | (bits & tail));
        for host in forms::of(address.into()) {
            prop_assert!(EGRESS.admits(&format!("https://{host}/")).is_err(), "{}", host);
        }
    }

    #[test]
    fn a_public_ipv4_address_is_admitted_in_one_form_only(bits in any::<u32>()) {
        let address = Ipv4Addr::from_bits(bits);
        let special = special_purpose_blocks().iter().any(|block| block.network.contains(address.into()));
        prop_assert_eq!(EGRESS.admits(&format!("https://{address}/")).is_err(), special);
        let admitted: Vec<String> = forms::of(address.into())
            .into_iter()
            .filter(|host| EGRESS.admits(&format!("https://{host}/")).is_ok())
            .collect();
        // A translator's form of a public address is one that an IPv6-only network needs.
        let translated = |host: &String| host.starts_with("[64:ff9b::");
        let plain: Vec<&String> = admitted.iter().filter(|host| !translated(host)).collect();
        prop_assert_eq!(plain, if special { vec![] } else { vec![&admitted[0]] });
    }
}
