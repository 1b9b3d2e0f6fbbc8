"""A part of a Django project, which watches in whatever process it is loaded."""

# docs: begin django-ready
from django.apps import AppConfig


class Shop(AppConfig):
    name = "shop_ready"

    def ready(self):
        import pgpool_stats
        from django.db import connections

        pgpool_stats.watch(connections["default"], "shop_django")
# docs: end
