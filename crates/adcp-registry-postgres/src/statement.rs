//! Statements: the texts of `sql/`, made ready once, and the values they take.
//!
//! In the texts a value is `:name`, the schema is `{schema}`, and `{skip locked}` is there or not.

use deadpool_postgres::tokio_postgres::types::{ToSql, Type};

use crate::config::PostgresConfig;
use crate::error::OpenError;

/// One statement, with numbers in place of names.
pub(crate) struct Statement {
    pub(crate) text: String,
    names: Vec<String>,
}

/// Values by name. Those that a statement does not name are left out.
pub(crate) type Values<'a> = &'a [(&'static str, &'a dyn Value)];

/// A value with its type, as the driver takes it.
pub(crate) type Typed<'a> = (&'a (dyn ToSql + Sync), Type);

impl Statement {
    fn new(source: &str, schema: &str, skip_locked: bool) -> Self {
        let skip = if skip_locked { "SKIP LOCKED" } else { "" };
        let source = source.replace("{schema}", schema).replace("{skip locked}", skip);
        let (mut text, mut names) = (String::with_capacity(source.len()), Vec::<String>::new());
        let mut rest = source.trim_end();
        while let Some(at) = rest.find(':') {
            text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(cast) = rest.strip_prefix(':') {
                text.push_str("::");
                rest = cast;
                continue;
            }
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let known = names.iter().position(|known| known == name);
            let number = known.unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            });
            text.push_str(&format!("${}", number + 1));
            rest = after;
        }
        text.push_str(rest);
        Self { text, names }
    }

    /// The values in the order of the numbers.
    pub(crate) fn typed<'a>(&self, values: Values<'a>) -> Vec<Typed<'a>> {
        let typed = |name: &String| {
            let found = values.iter().find(|(given, _)| given == name);
            let (_, value) = found.expect("every name of a statement is given a value beside its call");
            value.typed()
        };
        self.names.iter().map(typed).collect()
    }
}

/// A value that a statement takes.
pub(crate) trait Value: Sync {
    fn typed(&self) -> Typed<'_>;

    /// Whether no row can hold it: texts of this database have no NUL.
    fn is_nowhere(&self) -> bool {
        false
    }
}

/// Whether no row can match, because a text that is looked for cannot be in any.
pub(crate) fn nowhere(values: Values<'_>) -> bool {
    values.iter().any(|(_, value)| value.is_nowhere())
}

macro_rules! values {
    ($($rust:ty => $sql:ident),* $(,)?) => {
        $( impl Value for $rust {
            fn typed(&self) -> Typed<'_> {
                (self, Type::$sql)
            }
        } )*
    };
    (text $($rust:ty),*) => {
        $( impl Value for $rust {
            fn typed(&self) -> Typed<'_> {
                (self, Type::TEXT)
            }

            fn is_nowhere(&self) -> bool {
                self.contains('\0')
            }
        } )*
    };
    (maybe $($rust:ty),*) => {
        $( impl Value for $rust {
            fn typed(&self) -> Typed<'_> {
                (self, Type::TEXT)
            }

            fn is_nowhere(&self) -> bool {
                self.as_ref().is_some_and(|text| text.contains('\0'))
            }
        } )*
    };
}

values! {
    i64 => INT8,
    Option<i64> => INT8,
    bool => BOOL,
    Vec<u8> => BYTEA,
    Option<Vec<u8>> => BYTEA,
    Vec<String> => TEXT_ARRAY,
    Option<Vec<String>> => TEXT_ARRAY,
    Vec<Option<String>> => TEXT_ARRAY,
    Vec<i64> => INT8_ARRAY,
    Vec<Option<i64>> => INT8_ARRAY,
    Vec<Vec<u8>> => BYTEA_ARRAY,
    Vec<Option<Vec<u8>>> => BYTEA_ARRAY,
}
values!(text String, &str);
values!(maybe Option<String>, Option<&str>);

macro_rules! statements {
    ($($name:ident)*) => {
        /// Every statement, ready for one schema.
        pub(crate) struct Statements {
            /// The table of tasks, for statements that are put together.
            pub(crate) tasks: String,
            /// The table of events, likewise.
            pub(crate) events: String,
            $( pub(crate) $name: Statement, )*
        }

        impl Statements {
            pub(crate) fn new(config: &PostgresConfig) -> Result<Self, OpenError> {
                let schema = config.quoted_schema()?;
                Ok(Self {
                    tasks: format!("{schema}.tasks"),
                    events: format!("{schema}.events"),
                    $( $name: Statement::new(
                        include_str!(concat!("sql/", stringify!($name), ".sql")),
                        &schema,
                        config.skip_locked,
                    ), )*
                })
            }
        }
    };
}

statements! {
    ages attempts_forget attempts_insert attempts_list attempts_trim bodies_forget call_claim call_get
    call_release call_resolve_released call_resolve_succeeded call_settle calls_forget calls_unresolved clock
    deliveries_claim deliveries_claimed deliveries_expire deliveries_held deliveries_lock deliveries_redeliver
    deliveries_renew deliveries_settle delivery_get delivery_tenants document_delete document_get document_insert document_lock document_update
    documents_list endpoints_claim endpoints_forget
    endpoints_insert endpoints_list endpoints_lock endpoints_update event_queue events_forget events_list
    jobs_lock jobs_waiting lanes lanes_name lanes_unnamed proposal_get proposal_insert proposal_lock
    proposal_of_buy proposal_update proposals_forget task_delete task_get task_insert task_lock task_update
    tasks_forget tasks_overdue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_and_casts_stay() {
        let source = "SELECT :b::text FROM {schema}.t WHERE a = :a AND b = :b FOR UPDATE {skip locked}\n";
        let statement = Statement::new(source, "\"s\"", true);
        assert_eq!(
            statement.text,
            "SELECT $1::text FROM \"s\".t WHERE a = $2 AND b = $1 FOR UPDATE SKIP LOCKED"
        );
        assert_eq!(statement.names, ["b", "a"]);
        let typed = statement.typed(&[("a", &1_i64), ("b", &"text"), ("c", &true)]);
        assert_eq!(typed.iter().map(|(_, kind)| kind.clone()).collect::<Vec<_>>(), [Type::TEXT, Type::INT8]);
    }

    #[test]
    fn no_row_holds_nul() {
        assert!(nowhere(&[("a", &"x"), ("b", &"x\0")]));
        assert!(!nowhere(&[("a", &"x"), ("b", &None::<&str>), ("c", &1_i64)]));
    }
}
