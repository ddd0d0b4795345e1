package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// nginxModule is where Debian has the module that makes nginx a TCP proxy.
const nginxModule = "/usr/lib/nginx/modules/ngx_stream_module.so"

var nginx = contender{
	name:  "nginx",
	about: "nginx stream: a worker for each core, `proxy_buffer_size 64k`, no log",
	find: func(ctx context.Context, _ site) (string, error) {
		if _, err := os.Stat(nginxModule); err != nil {
			return "", errors.New("its stream module (libnginx-mod-stream) is not installed")
		}
		return versionOf(ctx, `nginx/(\S+)`, "nginx", "-v")
	},
	start: func(ctx context.Context, s site) (*running, error) {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		dir := filepath.Join(s.dir, "nginx-"+filepath.Base(addr))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(file, []byte(nginxConfig(dir, addr, s.server, openFiles())), 0o644); err != nil {
			return nil, err
		}
		return startProcess(ctx, addr, exec.CommandContext(ctx, "nginx", "-e", "stderr", "-p", dir, "-c", file))
	},
}

func nginxConfig(dir, addr, server string, files int) string {
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // whose limits are known
	}
	return fmt.Sprintf(`load_module %s;
%s
daemon off;
worker_processes auto;
worker_rlimit_nofile %d;
pid %s/pid;
error_log stderr crit;
events { worker_connections %d; }
stream {
    access_log off;
    server {
        listen %s backlog=4096;
        proxy_pass %s;
        proxy_buffer_size 64k;
        proxy_timeout 1h;
    }
}
`, nginxModule, user, files, dir, files-100, addr, server)
}
