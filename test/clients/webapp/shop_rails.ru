# A small shop on Rails under puma, watched by two lines.

# docs: begin rails-app
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "pgpool_stats"

ENV["DATABASE_URL"] ||= "postgresql:///#{ENV['PGDATABASE']}?user=app&pool=2"

class Shop < Rails::Application
  config.eager_load = true
  config.secret_key_base = "not one"
  config.logger = Logger.new($stderr)
  config.log_level = :warn
end

class WorkController < ActionController::Base
  def work
    ActiveRecord::Base.connection.execute("SELECT 1")
    render plain: Process.pid.to_s
  end
end

Shop.initialize!
PgpoolStats.watch(ActiveRecord::Base, "shop_rails")
Shop.routes.draw { root "work#work" }
run Shop
# docs: end
