//! What `Debug` of things that hold secrets shows.

use adcp_core::CallbackAuth;
use adcp_signing::{BearerToken, HmacKey, Secret};
use adcp_webhooks::{Agreement, Challenge, Incoming, OrderAddress};

const HIDDEN: &str = "hidden-0123456789-0123456789-0123456789";

#[test]
fn debug_shows_no_secret_and_of_an_address_only_where_it_leads() {
    let url = format!("https://buyer.example/{HIDDEN}?key={HIDDEN}");
    let auth = || Some(CallbackAuth::new("Bearer", adcp_core::Secret::new(HIDDEN)));
    let secret = || Secret::new(HIDDEN);
    let address =
        OrderAddress::new(&url).with_token(Some(adcp_core::Secret::new(HIDDEN))).with_authentication(auth());
    let target = format!("/{HIDDEN}");
    let fields = [("authorization", HIDDEN.as_bytes())];
    let incoming = Incoming { target: &target, headers: &fields, body: HIDDEN.as_bytes() };
    let hmac = Agreement::hmac("seller", HmacKey::new(secret()).unwrap()).with_token(secret());
    let bearer = Agreement::bearer("seller", BearerToken::new(secret()).unwrap()).with_token(secret());
    let challenge =
        Challenge::new("a", "s", "https://seller.example", ["scheduled"]).with_authentication(auth());
    for (shown, and_yet) in [
        (format!("{address:?}"), "https://buyer.example"),
        (format!("{incoming:?}"), "body_bytes: 39"),
        (format!("{hmac:?}"), "Hmac"),
        (format!("{bearer:?}"), "Bearer"),
        (format!("{challenge:?}"), "scheduled"),
    ] {
        assert!(!shown.contains("hidden") && shown.contains(and_yet), "{shown}");
    }
}
