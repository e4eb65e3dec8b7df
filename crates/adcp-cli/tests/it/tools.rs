//! `adcp tools`: lists for people and for scripts.

use crate::run::{Seller, run};

#[test]
fn tools_are_listed_for_people_and_scripts() {
    let seller = Seller::start(&[]);
    let list = run(&["tools", &seller.url]).expect(0);
    assert!(list.out.starts_with("adcp-reference-seller"), "{}", list.out);
    assert!(
        list.out.contains("\n* create_media_buy\n") && list.out.contains("\n  get_products\n"),
        "{}",
        list.out
    );

    let json = run(&["tools", &seller.url, "--json"]).expect(0).json();
    let names: Vec<&str> =
        json.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"get_task_status"), "{names:?}");

    let schema = run(&["tools", &seller.url, "create_media_buy"]).expect(0).json();
    assert_eq!(schema["type"], "object");
    let unknown = run(&["tools", &seller.url, "create_media_bye"]).expect(3);
    assert!(unknown.err.contains("lists them"), "{}", unknown.err);
    run(&["tools", "http://127.0.0.1:9/mcp"]).expect(6);
}
