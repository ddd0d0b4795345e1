// Package config reads the files in which gates are written down, in YAML or JSON, and tells when such a file has changed.
//
//	file, err := config.Load("gates.yaml")
//	file.Gates // []spec.Gate
//
// A file holds a list of gates, or an object whose only key is gates:
//
//	gates:
//	  - name: redis
//	    listen: 127.0.0.1:26379
//	    server: 127.0.0.1:6379
//	    to_client:
//	      - delay by=200ms
//
// YAML is a way to write the JSON that package spec reads, and means the same. Of its own it has strings without quotes, blocks and
// comments; anchors, aliases, tags and more than one document are refused.
//
// An [*Error] tells the line and the column, and shows them:
//
//	gates.yaml:6:19: to_client[0]: delay: by: got 200, want a duration with its unit, such as 200ms
//	    6 |       - delay by=200
//	      |                  ^^^
package config
