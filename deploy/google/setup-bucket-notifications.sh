#!/usr/bin/env bash
# Has Pub/Sub push every new object of a bucket to Earshot: topic, notification, service account, push subscription, and the
# rights these need, no more. Safe to repeat: what is there stays.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: setup-bucket-notifications.sh --project ID --bucket NAME --url URL [options]

  --project ID             the project of topic, subscription and service account
  --bucket NAME            the bucket whose new objects become recordings
  --url URL                where Pub/Sub pushes to: https://HOST/v1/events/pubsub
  --prefix FOLDER/         only objects below this folder (default: all of the bucket)
  --audience TEXT          EARSHOT_PUBSUB_AUDIENCE (default: the URL)
  --reader EMAIL           the service account that Earshot runs as: it may then read the bucket
  --topic NAME             default: earshot-uploads
  --subscription NAME      default: earshot-uploads-push
  --service-account NAME   default: earshot-push
  --dry-run                print the commands that change something, and run none of them
  --help

Needs gcloud, logged in as somebody who may make all of this.
EOF
}

die() {
  printf '%s\n' "$1" >&2
  exit 2
}

project='' bucket='' url='' prefix='' audience='' reader='' dry_run=''
topic=earshot-uploads subscription=earshot-uploads-push account=earshot-push

while [ $# -gt 0 ]; do
  case "$1" in
    --help) usage && exit 0 ;;
    --dry-run) dry_run=yes && shift && continue ;;
  esac
  [ $# -ge 2 ] || die "$1 needs a value, or is no option; see --help"
  case "$1" in
    --project) project=$2 ;;
    --bucket) bucket=${2#gs://} ;;
    --url) url=$2 ;;
    --prefix) prefix=$2 ;;
    --audience) audience=$2 ;;
    --reader) reader=$2 ;;
    --topic) topic=$2 ;;
    --subscription) subscription=$2 ;;
    --service-account) account=$2 ;;
    *) die "$1 is no option; see --help" ;;
  esac
  shift 2
done

[ -n "$project" ] || die '--project is missing; see --help'
[ -n "$bucket" ] || die '--bucket is missing; see --help'
[[ $url == https://*/v1/events/pubsub ]] || die '--url must be https://HOST/v1/events/pubsub'
: "${audience:=$url}"
command -v gcloud >/dev/null || die 'gcloud is missing: https://cloud.google.com/sdk/docs/install'

email=$account@$project.iam.gserviceaccount.com
full_topic=projects/$project/topics/$topic

# Runs gcloud, or with --dry-run says what would be run.
change() {
  if [ -n "$dry_run" ]; then
    printf 'gcloud'
    printf ' %q' "$@"
    printf '\n'
  else
    gcloud "$@"
  fi
}

exists() { gcloud "$@" >/dev/null 2>&1; }

change services enable pubsub.googleapis.com storage.googleapis.com --project="$project"

exists pubsub topics describe "$topic" --project="$project" ||
  change pubsub topics create "$topic" --project="$project"

# Cloud Storage itself publishes, as a service agent of the project.
agent=$(gcloud storage service-agent --project="$project")
change pubsub topics add-iam-policy-binding "$topic" --project="$project" \
  --member="serviceAccount:$agent" --role=roles/pubsub.publisher

if ! gcloud storage buckets notifications list "gs://$bucket" --format='value(topic)' | grep -q -F "/$full_topic"; then
  change storage buckets notifications create "gs://$bucket" --topic="$full_topic" \
    --event-types=OBJECT_FINALIZE --payload-format=json ${prefix:+"--object-prefix=$prefix"}
fi

exists iam service-accounts describe "$email" --project="$project" ||
  change iam service-accounts create "$account" --project="$project" \
    --display-name='Pushes bucket notifications to Earshot'

# Pub/Sub makes tokens of that account; the account itself has no right to anything.
number=$(gcloud projects describe "$project" --format='value(projectNumber)')
change iam service-accounts add-iam-policy-binding "$email" --project="$project" \
  --member="serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com" \
  --role=roles/iam.serviceAccountTokenCreator

push=(--push-endpoint="$url" --push-auth-service-account="$email" --push-auth-token-audience="$audience")
if exists pubsub subscriptions describe "$subscription" --project="$project"; then
  change pubsub subscriptions update "$subscription" --project="$project" "${push[@]}"
else
  change pubsub subscriptions create "$subscription" --project="$project" --topic="$topic" "${push[@]}" \
    --ack-deadline=60 --message-retention-duration=7d --expiration-period=never \
    --min-retry-delay=10s --max-retry-delay=600s
fi

[ -z "$reader" ] ||
  change storage buckets add-iam-policy-binding "gs://$bucket" \
    --member="serviceAccount:$reader" --role=roles/storage.objectViewer

cat <<EOF
Set for ingest:
  EARSHOT_PUBSUB_AUDIENCE=$audience
  EARSHOT_PUBSUB_SERVICE_ACCOUNT=$email
and list gs://$bucket${prefix:+/$prefix} for its tenant in EARSHOT_BUCKETS_FILE.
EOF
