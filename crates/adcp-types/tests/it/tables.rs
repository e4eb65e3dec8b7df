//! Tools and error codes.

use adcp_types::enums::TaskStatus;
use adcp_types::{ErrorCode, Presence, Protocol, Recovery, tools};

#[test]
fn tools_are_sorted_and_found() {
    assert!(tools::ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
    for spec in tools::ALL {
        assert_eq!(tools::find(spec.name).map(|found| found.name), Some(spec.name));
    }
    assert!(tools::find("make_coffee").is_none());
}

#[test]
fn a_row_says_what_the_schemas_say() {
    let spec = &tools::CREATE_MEDIA_BUY;
    assert_eq!((spec.protocol.clone(), spec.mutating, spec.submitted_arm), (Protocol::MediaBuy, true, true));
    assert_eq!((spec.idempotency_key, spec.account), (Presence::Required, Presence::Required));
    assert_eq!(spec.task_type, Some("create_media_buy"));
    assert!(tools::ALL.iter().any(|spec| spec.pagination && !spec.mutating));
}

#[test]
fn codes_know_how_to_recover() {
    assert_eq!(ErrorCode::RATE_LIMITED.recovery(), Some(Recovery::Transient));
    assert_eq!(ErrorCode::INVALID_REQUEST.recovery(), Some(Recovery::Correctable));
    assert_eq!(ErrorCode::new("OUT_OF_COFFEE").recovery(), None);
    assert!(ErrorCode::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(ErrorCode::ALL.iter().all(|code| code.recovery().is_some()));
}

#[test]
fn unknown_states_do_not_end_a_task() {
    assert!(TaskStatus::Rejected.is_final());
    assert!(!TaskStatus::from("pondering").is_final());
    assert_eq!(TaskStatus::Unrecognized("working".to_owned()), TaskStatus::Working);
}

#[test]
fn specialisms_name_tools_of_the_table() {
    for specialism in tools::SPECIALISMS {
        assert!(
            specialism.entry_point_tools.iter().all(|name| tools::find(name).is_some()),
            "{}",
            specialism.name
        );
    }
    assert!(tools::TASK_TYPES.contains(&"create_media_buy"));
}
