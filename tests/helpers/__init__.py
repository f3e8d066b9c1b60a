"""Small models, samples and simulated systems that several test files share."""
