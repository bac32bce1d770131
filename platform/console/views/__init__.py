"""The pages. Each resolves who asks, makes one call into the domain, and renders."""
