# docs: begin gunicorn-conf
preload_app = True


def post_fork(server, worker):
    import right
    right.start_pool()
# docs: end
