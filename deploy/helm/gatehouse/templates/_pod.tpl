{{- define "gatehouse.env" -}}
- { name: NODE_ENV, value: {{ .Values.nodeEnv | quote }} }
- { name: LOG_LEVEL, value: {{ .Values.logLevel | quote }} }
- { name: HOST, value: 0.0.0.0 }
- { name: PORT, value: {{ .Values.port | toString | quote }} }
- { name: WORKERS, value: {{ .Values.workers | toString | quote }} }
- { name: DRAIN_DELAY, value: {{ .Values.drain.delay | quote }} }
- { name: SHUTDOWN_TIMEOUT, value: {{ .Values.drain.timeout | quote }} }
- { name: GATEHOUSE_CONFIG, value: /etc/gatehouse/{{ .Values.config.key }} }
- { name: GATEHOUSE_WATCH, value: {{ ternary "on" "off" .Values.config.watch | quote }} }
{{- with .Values.modules }}
- { name: GATEHOUSE_MODULES, value: {{ . | quote }} }
{{- end }}
- { name: ADMIN_HOST, value: {{ ternary "0.0.0.0" "127.0.0.1" .Values.admin.exposed }} }
- { name: ADMIN_PORT, value: {{ .Values.admin.port | toString | quote }} }
{{- if .Values.admin.tokensSecret.name }}
- { name: ADMIN_TOKENS_FILE, value: /run/gatehouse/operators/{{ .Values.admin.tokensSecret.key }} }
{{- end }}
{{- if .Values.admin.tls.secretName }}
- { name: ADMIN_CERT_FILE, value: /run/gatehouse/operators-tls/tls.crt }
- { name: ADMIN_KEY_FILE, value: /run/gatehouse/operators-tls/tls.key }
{{- if .Values.admin.tls.clientCa }}
- { name: ADMIN_CLIENT_CA_FILE, value: /run/gatehouse/operators-tls/ca.crt }
{{- end }}
{{- end }}
{{- with .Values.admin.hosts }}
- { name: ADMIN_HOSTS, value: {{ join "," . | quote }} }
{{- end }}
{{- if .Values.redis.url }}
- { name: REDIS_URL, value: {{ .Values.redis.url | quote }} }
{{- end }}
{{- if .Values.redis.urlSecret.name }}
- { name: REDIS_URL_FILE, value: /run/gatehouse/redis-url/{{ .Values.redis.urlSecret.key }} }
{{- end }}
{{- if .Values.redis.passwordSecret.name }}
- { name: REDIS_PASSWORD_FILE, value: /run/gatehouse/redis-password/{{ .Values.redis.passwordSecret.key }} }
{{- end }}
{{- with .Values.redis.sentinel.username }}
- { name: REDIS_SENTINEL_USERNAME, value: {{ . | quote }} }
{{- end }}
{{- if .Values.redis.sentinel.passwordSecret.name }}
- { name: REDIS_SENTINEL_PASSWORD_FILE, value: /run/gatehouse/redis-sentinel/{{ .Values.redis.sentinel.passwordSecret.key }} }
{{- end }}
{{- if .Values.redis.tls.secretName }}
- { name: REDIS_CA_FILE, value: /run/gatehouse/redis-tls/ca.crt }
{{- if .Values.redis.tls.clientCertificate }}
- { name: REDIS_CERT_FILE, value: /run/gatehouse/redis-tls/tls.crt }
- { name: REDIS_KEY_FILE, value: /run/gatehouse/redis-tls/tls.key }
{{- end }}
{{- end }}
{{- with .Values.redis.tls.serverName }}
- { name: REDIS_SERVER_NAME, value: {{ . | quote }} }
{{- end }}
{{- with .Values.redis.timeout }}
- { name: REDIS_TIMEOUT, value: {{ . | quote }} }
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The Secrets that are mounted, by the name of their volume: what it is called, where it goes, and which keys. */}}
{{- define "gatehouse.secretMounts" -}}
{{- $redis := .Values.redis -}}
{{- $admin := .Values.admin -}}
{{- if $admin.tokensSecret.name }}
- { volume: operators, secret: {{ $admin.tokensSecret.name | quote }}, path: operators }
{{- end }}
{{- if $admin.tls.secretName }}
- { volume: operators-tls, secret: {{ $admin.tls.secretName | quote }}, path: operators-tls }
{{- end }}
{{- if $redis.urlSecret.name }}
- { volume: redis-url, secret: {{ $redis.urlSecret.name | quote }}, path: redis-url }
{{- end }}
{{- if $redis.passwordSecret.name }}
- { volume: redis-password, secret: {{ $redis.passwordSecret.name | quote }}, path: redis-password }
{{- end }}
{{- if $redis.sentinel.passwordSecret.name }}
- { volume: redis-sentinel, secret: {{ $redis.sentinel.passwordSecret.name | quote }}, path: redis-sentinel }
{{- end }}
{{- if $redis.tls.secretName }}
- { volume: redis-tls, secret: {{ $redis.tls.secretName | quote }}, path: redis-tls }
{{- end }}
{{- range .Values.certificates }}
- { volume: tls-{{ .name }}, secret: {{ .secretName | quote }}, path: tls/{{ .name }} }
{{- end }}
{{- range .Values.secrets }}
- { volume: secret-{{ .name }}, secret: {{ .secretName | quote }}, path: secrets/{{ .name }} }
{{- end }}
{{- end -}}

{{/* Each folder as a whole: what is mounted by `subPath` never changes in a pod that runs. */}}
{{- define "gatehouse.volumeMounts" -}}
- { name: config, mountPath: /etc/gatehouse, readOnly: true }
- { name: tmp, mountPath: /tmp }
{{- range (include "gatehouse.secretMounts" . | fromYamlArray) }}
- { name: {{ .volume }}, mountPath: /run/gatehouse/{{ .path }}, readOnly: true }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Modes are decimal, which YAML 1.1 and 1.2 read alike: 292 is 0444, 288 is 0440. */}}
{{- define "gatehouse.volumes" -}}
- name: config
  configMap: { name: {{ include "gatehouse.configMap" . | quote }}, defaultMode: 292 }
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- range (include "gatehouse.secretMounts" . | fromYamlArray) }}
- name: {{ .volume }}
  secret: { secretName: {{ .secret | quote }}, defaultMode: 288 }
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "gatehouse.probe" -}}
httpGet: { path: {{ .path }}, port: {{ .probes.port }}, scheme: {{ .probes.scheme }} }
{{ toYaml .times }}
{{- end -}}
