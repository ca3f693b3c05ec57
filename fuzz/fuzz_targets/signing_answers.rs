//! Any text as what an agent is asked, what it answers, and what a signer's command answers: no panic; a request
//! is written again as it was read, and what counts as signed verifies.
#![no_main]

use catena_signing::{AgentRequest, SignerAnswer, parse_agent_answer};
use libfuzzer_sys::fuzz_target;

const MESSAGE: &[u8] = b"message";

fuzz_target!(|text: &str| {
    if let Ok(request) = AgentRequest::parse(text) {
        assert_eq!(AgentRequest::parse(request.line().trim_end()), Ok(request));
    }
    if let Ok(answer) = SignerAnswer::parse(text) {
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(answer.key.to_string(), lines[0]);
        assert_eq!(answer.signature.is_some(), lines.len() == 2);
        if let Ok((key, signature)) = answer.clone().signed(MESSAGE) {
            assert!(key.verify(MESSAGE, &signature));
        }
        assert_eq!(parse_agent_answer(&format!("ok\n{}\n", lines.join("\n"))), Ok(answer));
    }
    if let Ok(answer) = parse_agent_answer(text) {
        assert!(text.starts_with("ok\n") && text.ends_with('\n'));
        assert_eq!(SignerAnswer::parse(&text[3..]), Ok(answer));
    }
});
