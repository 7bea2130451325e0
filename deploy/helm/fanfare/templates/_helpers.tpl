{{- define "fanfare.fullname" -}}
{{- if contains "fanfare" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-fanfare" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* The labels that select the pods of a component: (list $ "worker"). */}}
{{- define "fanfare.selector" -}}
app.kubernetes.io/name: fanfare
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "fanfare.labels" -}}
{{ include "fanfare.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "fanfare-%s" (index . 0).Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "fanfare.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "fanfare.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "fanfare.fullname" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- /* What every pod has: no privilege, no writable file, no token of the cluster. */}}
{{- define "fanfare.pod" -}}
serviceAccountName: {{ include "fanfare.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "fanfare.container" -}}
image: {{ include "fanfare.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* The file of the cells, if there are any: its name, its volume, and where a container finds it. */}}
{{- define "fanfare.cells.env" -}}
{{- if .Values.cells.secretKey }}
- {name: FANFARE_CELLS, value: /etc/fanfare/cells.yaml}
{{- end }}
{{- end }}

{{- define "fanfare.cells.volume" -}}
{{- with .Values.cells.secretKey }}
volumes:
  - name: cells
    secret: {secretName: {{ $.Values.secret.name }}, items: [{key: {{ . }}, path: cells.yaml}]}
{{- end }}
{{- end }}

{{- define "fanfare.cells.mount" -}}
{{- if .Values.cells.secretKey }}
volumeMounts:
  - {name: cells, mountPath: /etc/fanfare, readOnly: true}
{{- end }}
{{- end }}

{{- /* The settings and secrets as environment variables. */}}
{{- define "fanfare.env" -}}
{{- range $name, $value := .Values.settings }}
- name: FANFARE_{{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- include "fanfare.cells.env" . }}
{{- range $name, $key := .Values.secret.keys }}
{{- if and $key (not (and $.Values.cells.secretKey (eq $name "FANFARE_DATABASE_URL"))) }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $.Values.secret.name }}, key: {{ $key }}}}
{{- end }}
{{- end }}
{{- end }}

{{- /* The probes of a daemon. A first start waits for the schema. */}}
{{- define "fanfare.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 3
{{- end }}

{{- /* Where the pods of a component may run: (list $ "worker" values). */}}
{{- define "fanfare.placement" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "fanfare.selector" (list (index . 0) (index . 1)) | nindent 8 }}
{{- with (index . 2).nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 2).tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 2).affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
