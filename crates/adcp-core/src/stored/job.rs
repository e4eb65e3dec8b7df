//! What a job's handler is given, as text: sealed wherever there is a key.

use serde_json::Value;

use super::{SealError, Sealer};
use crate::TaskId;

/// Before a sealed input. JSON never begins with it.
const SEALED: &str = "sealed:";

/// Writes the input of the job of the task `task`.
///
/// It is the adopter's, who may put a secret into it unawares: with a key it is sealed to its task, without one it
/// is stored as it is.
///
/// # Errors
///
/// [`SealError`] when there is a key and it cannot seal.
pub fn write_job_input(input: &Value, task: &TaskId, sealer: &dyn Sealer) -> Result<String, SealError> {
    let text = input.to_string();
    if !sealer.has_key() {
        return Ok(text);
    }
    Ok(format!("{SEALED}{}", sealer.seal(&text, task.as_str())?))
}

/// Reads the input of the job of the task `task`; `None` when it cannot be read: the key that it was sealed with is not
/// at hand, or the text was changed. The task itself can be listed, polled and ended all the same.
#[must_use]
pub fn read_job_input(text: &str, task: &TaskId, sealer: &dyn Sealer) -> Option<Value> {
    match text.strip_prefix(SEALED) {
        Some(sealed) => serde_json::from_str(&sealer.open(sealed, task.as_str()).ok()?).ok(),
        None => serde_json::from_str(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::NoSealer;
    use serde_json::json;

    #[derive(Debug)]
    struct Mirror;

    impl Sealer for Mirror {
        fn has_key(&self) -> bool {
            true
        }

        fn seal(&self, plain: &str, bound_to: &str) -> Result<String, SealError> {
            Ok(format!("{bound_to}|{}", plain.chars().rev().collect::<String>()))
        }

        fn open(&self, sealed: &str, bound_to: &str) -> Result<String, SealError> {
            let (bound, text) = sealed.split_once('|').ok_or(SealError::Forged)?;
            if bound == bound_to { Ok(text.chars().rev().collect()) } else { Err(SealError::Forged) }
        }
    }

    #[test]
    fn an_input_reads_back_and_is_sealed_to_its_task_where_there_is_a_key() {
        let (task, other) = (TaskId::new("task_1"), TaskId::new("task_2"));
        let input = json!({ "order": 7, "secret": "hunter2" });
        let plain = write_job_input(&input, &task, &NoSealer::new()).unwrap();
        let sealed = write_job_input(&input, &task, &Mirror).unwrap();
        assert!(plain.contains("hunter2") && !sealed.contains("hunter2"), "{sealed}");
        // What was written before there was a key reads on.
        assert_eq!(read_job_input(&plain, &task, &Mirror), Some(input.clone()));
        assert_eq!(read_job_input(&sealed, &task, &Mirror), Some(input));
        assert_eq!(read_job_input(&sealed, &task, &NoSealer::new()), None);
        assert_eq!(read_job_input(&sealed, &other, &Mirror), None);
        assert_eq!(read_job_input("{", &task, &Mirror), None);
    }
}
