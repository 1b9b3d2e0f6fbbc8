"""A small shop on Django, watched by two lines."""

# docs: begin django-app
import os

import pgpool_stats
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, connections
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="not one",
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "USER": "app",
        "NAME": os.environ["PGDATABASE"], "CONN_MAX_AGE": 600}})
app = get_wsgi_application()
pgpool_stats.watch(connections["default"], "shop_django")


def work(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse(str(os.getpid()))


urlpatterns = [path("", work)]
# docs: end
