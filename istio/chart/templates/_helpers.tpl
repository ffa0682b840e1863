{{- define "meshward.name" -}}
{{- printf "%s-collector" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "meshward.selector" -}}
app.kubernetes.io/name: meshward-collector
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "meshward.labels" -}}
{{ include "meshward.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: collector
app.kubernetes.io/part-of: meshward
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "meshward.image" -}}
{{- $image := .Values.collector.image -}}
{{- if not $image.repository }}{{ fail "collector.image.repository is missing: meshward image --collector --push REGISTRY/REPOSITORY prints it; or collector.enabled=false" }}{{ end -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ required "collector.image: give a digest (or a tag, to try)" $image.tag }}
{{- end -}}
{{- end -}}

{{- define "meshward.embedded" -}}
{{- if not .Values.collector.database.secret }}yes{{ end -}}
{{- end -}}
