Gem::Specification.new do |gem|
  gem.name = "pgpool_stats"
  gem.version = "1.0"
  gem.summary = "Labels and reports a connection pool to a PostgreSQL server with pgpool_stats"
  gem.authors = ["the pgpool_stats authors"]
  gem.license = "PostgreSQL"
  gem.files = ["pgpool_stats.rb"]
  gem.require_paths = ["."]
  gem.required_ruby_version = ">= 2.7"
  gem.add_dependency "pg", ">= 1.0"
end
