"""What programs call of a vault, by subject: each class is one part of `handstamp.vault.Vault`, each method one transaction."""
