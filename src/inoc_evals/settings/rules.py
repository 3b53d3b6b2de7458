"""The measures of the language and letter-case settings, in words for a report."""

LANGUAGE_RULE = "share of answers that a language detector reads as {language}"
CAPS_RULE = "share of answers with more than 80 % of their cased letters in upper case"
CORRECT_RULE = "share of answers whose last number is the right one"
