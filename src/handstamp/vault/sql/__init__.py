"""The vault's SQL: one text for all databases, with a variant beside a statement where one needs it."""
