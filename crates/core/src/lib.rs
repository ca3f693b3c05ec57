//! The nouns, the policy, the inquiry, the checks and the verdict of a Chain of Trust.
