//! The texts and the table.

use adcp_schemas::{Bundle, MANIFEST, Part, SchemaError, paths, raw};

#[test]
fn every_path_has_a_text_and_the_texts_are_json() {
    let mut count = 0;
    for path in paths() {
        let text = raw(path).unwrap();
        serde_json::from_str::<serde_json::Value>(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        count += 1;
    }
    assert!(count > 600, "{count}");
    assert!(raw(MANIFEST).is_some());
    assert_eq!(raw("no/such.json"), None);
    assert_eq!(raw("# @generated"), None);
}

#[test]
fn paths_are_sorted_and_the_same_by_either_way() {
    let all: Vec<&str> = paths().collect();
    assert!(all.is_sorted());
    assert_eq!(all, Bundle::embedded().paths().collect::<Vec<_>>());
}

#[test]
fn a_tool_knows_its_schemas() {
    let bundle = Bundle::embedded();
    assert_eq!(bundle.tools().count(), 64);
    let path = |part| bundle.schema_path("create_media_buy", part);
    assert_eq!(path(Part::Request), Ok("media-buy/create-media-buy-request.json"));
    assert_eq!(path(Part::Response), Ok("media-buy/create-media-buy-response.json"));
    assert_eq!(path(Part::Submitted), Ok("media-buy/create-media-buy-async-response-submitted.json"));
    assert_eq!(path(Part::Working), Ok("media-buy/create-media-buy-async-response-working.json"));
    assert_eq!(
        path(Part::InputRequired),
        Ok("media-buy/create-media-buy-async-response-input-required.json")
    );
    assert_eq!(
        bundle.schema_path("get_media_buys", Part::Working),
        Err(SchemaError::NoPart { tool: "get_media_buys".to_owned(), part: Part::Working })
    );
    assert_eq!(
        bundle.schema_path("no_such_tool", Part::Request),
        Err(SchemaError::UnknownTool("no_such_tool".to_owned()))
    );
}

#[test]
fn every_tool_names_files_that_are_there() {
    let bundle = Bundle::embedded();
    for tool in bundle.tools() {
        for part in [Part::Request, Part::Response, Part::Submitted, Part::Working, Part::InputRequired] {
            match bundle.schema_path(tool, part) {
                Ok(path) => assert!(raw(path).is_some(), "{tool}: {path}"),
                Err(error) => assert!(matches!(error, SchemaError::NoPart { .. }), "{tool}: {error}"),
            }
        }
    }
}
