"""What `earshot doctor` looks at: each check is a function that gives a finding, and its mend."""
