//! In-tree `.taskcluster.yml` templates and `.cron.yml`: ours, doing what real ones do.

use super::product::{Product, Vcs};

/// The cron jobs of every repository.
pub(super) const CRON: &str = "# Jobs that run by the clock, and those that are only started by hand.
jobs:
  - name: nightly
    job:
      type: decision-task
      treeherder-symbol: N
      target-tasks-method: nightly
    when: [{hour: 9, minute: 30}]
  - name: bump
    job: {type: trigger-action, action-name: bump}
    when: []
";

/// The template of a product's repository.
pub(super) fn text(product: &Product, vcs: Vcs) -> String {
    let text = match vcs {
        Vcs::Hg => HG,
        Vcs::Git => GIT,
    };
    text.replace("@DOMAIN@", product.domain)
        .replace("@PREFIX@", product.prefix)
        .replace("@SUFFIX@", product.pool_suffix)
        .replace("@TRUSTED@", &product.level.to_string())
        .replace("@EXTRA@", if product.prefix == "COMM" { COMM } else { "                - {}\n" })
}

/// A repository that is built on top of another one names that too.
const COMM: &str = "                - GECKO_BASE_REPOSITORY: https://hg.mozilla.org/mozilla-unified
                  GECKO_HEAD_REPOSITORY: https://hg.mozilla.org/mozilla-central
                  GECKO_HEAD_REF: default
";

const HG: &str = r#"# The task that makes all other tasks of a push, a cron job or an action.
# Rendered with JSON-e; what the names stand for depends on who renders it (tasks_for).
version: 1
tasks:
  - $if: 'tasks_for in ["hg-push", "cron", "action"]'
    then:
      $let:
        repo: {$if: 'repository.url[-1] == "/"', then: {$eval: 'repository.url[:-1]'}, else: {$eval: 'repository.url'}}
        # Some who push are accounts without an address.
        owner: {$if: '"@" in push.owner', then: '${push.owner}', else: '${push.owner}@noreply.example.org'}
        index: 'index.@DOMAIN@.v2.${repository.project}'
        day: {$fromNow: '1 day'}
        arguments: {$if: 'tasks_for == "cron"', then: '${cron.quoted_args}', else: ''}
      in:
        taskId: {$if: 'tasks_for != "action"', then: '${as_slugid("decision")}'}
        taskGroupId: {$if: 'tasks_for == "action"', then: '${action.taskGroupId}', else: '${as_slugid("decision")}'}
        schedulerId: '@DOMAIN@-level-${repository.level}'
        provisionerId: '@DOMAIN@-${repository.level}'
        workerType: decision@SUFFIX@
        created: {$fromNow: ''}
        deadline: {$eval: day}
        expires: {$fromNow: '1 year 1 second'}  # artifacts expire first
        requires: all-completed
        dependencies: []
        retries: 5
        priority:
          $switch:
            'tasks_for == "cron"': low
            'tasks_for == "action"': very-low
            $default: lowest
        metadata:
          $merge:
            - owner: ${owner}
              source: ${repo}/raw-file/${push.revision}/.taskcluster.yml
            - $switch:
                'tasks_for == "hg-push"':
                  name: Decision Task
                  description: Makes the task graph of a push
                'tasks_for == "action"':
                  name: 'Action: ${action.title}'
                  description: ${action.description}
                $default:
                  name: Decision Task for cron job ${cron.job_name}
                  description: 'Made by [a cron task](https://tools.example.org/tasks/${cron.task_id})'
        tags:
          $merge:
            - kind: {$switch: {'tasks_for == "hg-push"': decision-task, 'tasks_for == "action"': action-callback, $default: cron-task}}
            - $if: 'tasks_for != "cron"'
              then: {createdForUser: '${owner}'}
              else: {}
        routes:
          $flattenDeep:
            - tc-treeherder.v2.${repository.project}.${push.revision}.${push.pushlog_id}
            - $if: 'tasks_for == "hg-push"'
              then:
                - ${index}.latest.taskgraph.decision
                - ${index}.revision.${push.revision}.taskgraph.decision
                - ${index}.pushlog-id.${push.pushlog_id}.decision
                - $map: [on-failed, on-exception]
                  each(event): notify.email.${owner}.${event}
            - $if: 'tasks_for == "action"'
              then: ['${index}.pushlog-id.${push.pushlog_id}.actions.${ownTaskId}']
            - $if: 'tasks_for == "cron"'
              then:
                - ${index}.latest.taskgraph.decision-${cron.job_name}
                - ${index}.revision.${push.revision}.cron.${as_slugid("decision")}
        scopes:
          $switch:
            'tasks_for == "hg-push"':
              - assume:repo:${repo[8:]}:branch:default
              - queue:route:notify.email.${owner}.*
              - in-tree:hook-action:project-@DOMAIN@/in-tree-action-${repository.level}-*
            'tasks_for == "action"': ['${action.repo_scope}']
            $default: ['assume:repo:${repo[8:]}:cron:${cron.job_name}']
        payload:
          image: taskcluster/decision:3.0.1@sha256:5f9dc50cb2a1c3ad3a0d07a3f0b7c3b7f6c1f3a2f4f1a5c86b0e0f5a1f4e9a77
          maxRunTime: 1800
          features: {taskclusterProxy: true, chainOfTrust: true}
          cache:
            level-${repository.level}-checkouts-v3: /builds/worker/checkouts
          env:
            $merge:
                - @PREFIX@_BASE_REPOSITORY: {$if: '"@PREFIX@" == "GECKO"', then: 'https://hg.mozilla.org/mozilla-unified', else: '${repo}'}
                  @PREFIX@_HEAD_REPOSITORY: ${repo}
                  @PREFIX@_BASE_REV: ${push.base_revision}
                  @PREFIX@_HEAD_REF: ${push.revision}
                  @PREFIX@_HEAD_REV: ${push.revision}
                  HG_STORE_PATH: /builds/worker/checkouts/hg-store
                  TASKCLUSTER_CACHES: /builds/worker/checkouts
@EXTRA@                - $if: 'tasks_for != "action"'
                  then: {GECKO_COMMIT_MSG: '${push.comment}'}
                  else:
                    ACTION_TASK_GROUP_ID: ${action.taskGroupId}
                    ACTION_TASK_ID: {$json: {$eval: taskId}}
                    ACTION_INPUT: {$json: {$eval: input}}
                    ACTION_CALLBACK: ${action.cb_name}
                    ACTION_PARAMETERS: {$json: {$eval: parameters}}
          command:
            - /builds/worker/bin/run-task
            - --vcs-checkout=/builds/worker/checkouts/src
            - --
            - bash
            - -cx
            - $if: 'tasks_for == "action"'
              then: cd /builds/worker/checkouts/src && ./mach taskgraph action-callback
              else: >
                cd /builds/worker/checkouts/src &&
                ./mach taskgraph decision
                --project='${repository.project}'
                --level='${repository.level}'
                --owner='${owner}'
                --pushlog-id='${push.pushlog_id}'
                --pushdate='${push.pushdate}'
                --message="$GECKO_COMMIT_MSG"
                --head-rev='${push.revision}'
                ${arguments}
          artifacts:
            public:
              type: directory
              path: /builds/worker/artifacts
              expires: {$fromNow: '1 year'}
        extra:
          $merge:
            - tasks_for: ${tasks_for}
              treeherder:
                $merge:
                  - machine: {platform: decision}
                  - $switch:
                      'tasks_for == "hg-push"': {symbol: D}
                      'tasks_for == "action"': {groupSymbol: AC, symbol: '${action.symbol}'}
                      $default: {groupSymbol: cron, symbol: '${cron.job_symbol}'}
            - $if: 'tasks_for == "action"'
              then:
                parent: ${action.taskGroupId}
                action:
                  name: ${action.name}
                  context:
                    taskGroupId: ${action.taskGroupId}
                    taskId: {$eval: taskId}
                    input: {$eval: input}
                    parameters: {$eval: parameters}
            - $if: 'tasks_for == "cron"'
              then: {cron: {$json: {$eval: cron}}}
"#;

const GIT: &str = r#"---
# The task that makes all other tasks of a push, a pull request, a release, a cron job or an action.
version: 1
reporting: checks-v1
policy:
  pullRequests: public_restricted
tasks:
  - $let:
      isPullRequest: {$eval: 'tasks_for in ["github-pull-request", "github-pull-request-untrusted"]'}
      isAction: {$eval: 'tasks_for in ["action", "pr-action"]'}
      byHook: {$eval: 'tasks_for in ["action", "pr-action", "cron"]'}
    in:
      $let:
        owner:
          $switch:
            'tasks_for == "github-push"': ${event.pusher.email}
            'isPullRequest': ${event.pull_request.user.login}@users.noreply.github.com
            'tasks_for == "github-release"': ${event.sender.login}@users.noreply.github.com
            $default: ${tasks_for}@noreply.example.org
        repo:
          $switch:
            'isPullRequest': ${event.pull_request.head.repo.html_url}
            'byHook': ${repository.url}
            $default: ${event.repository.html_url}
        baseRepo:
          $switch:
            'isPullRequest': ${event.pull_request.base.repo.html_url}
            'tasks_for == "pr-action"': ${repository.base_url}
            'byHook && tasks_for != "pr-action"': ${repository.url}
            $default: ${event.repository.html_url}
        project:
          $switch:
            'isPullRequest': ${event.pull_request.base.repo.name}
            'byHook': ${repository.project}
            $default: ${event.repository.name}
        headRef:
          $switch:
            'isPullRequest': ${event.pull_request.head.ref}
            'tasks_for == "github-push"': ${event.ref}
            'tasks_for == "github-release"': ${event.release.tag_name}
            $default: ${push.branch}
        headSha:
          $switch:
            'isPullRequest': ${event.pull_request.head.sha}
            'tasks_for == "github-push"': ${event.after}
            'tasks_for == "github-release"': ${event.release.tag_name}
            $default: ${push.revision}
        baseRef:
          $switch:
            'isPullRequest': ${event.pull_request.base.ref}
            'tasks_for == "github-push"': {$if: event.base_ref, then: '${event.base_ref}', else: '${event.ref}'}
            'tasks_for == "github-release"': ${event.release.target_commitish}
            'tasks_for == "pr-action"': ${push.base_branch}
            $default: ${push.branch}
        baseSha:
          $switch:
            'isPullRequest': ${event.pull_request.base.sha}
            'tasks_for == "github-push"': ${event.before}
            'tasks_for == "github-release"': ${event.release.target_commitish}
            $default: ${push.revision}
        level: {$if: 'isPullRequest || tasks_for == "pr-action"', then: '1', else: '@TRUSTED@'}
        ownId: {$if: byHook, then: '${ownTaskId}', else: '${as_slugid("decision")}'}
      in:
        $let:
          branch: {$if: 'headRef[:11] == "refs/heads/"', then: '${headRef[11:]}', else: '${headRef}'}
          baseBranch: {$if: 'baseRef[:11] == "refs/heads/"', then: '${baseRef[11:]}', else: '${baseRef}'}
          # Private repositories are cloned over ssh.
          path: {$if: 'repo[:6] == "ssh://"', then: '${repo[6:]}', else: '${repo[8:]}'}
          index: index.@DOMAIN@.v2.${project}
        in:
          $if: >
            byHook
            || (tasks_for == "github-push" && branch == "main")
            || tasks_for == "github-release"
            || (isPullRequest && event.action in ["opened", "reopened", "synchronize"])
          then:
            taskId: {$if: '!isAction', then: '${ownId}'}
            taskGroupId: {$if: isAction, then: '${action.taskGroupId}', else: '${ownId}'}
            schedulerId: '@DOMAIN@-level-${level}'
            provisionerId: '@DOMAIN@-${level}'
            workerType: decision@SUFFIX@
            created: {$fromNow: ''}
            deadline: {$fromNow: '1 day'}
            expires: {$fromNow: '1 year 1 second'}
            requires: all-completed
            dependencies: []
            retries: 5
            priority: {$switch: {'tasks_for == "cron"': low, isAction: lowest, $default: very-low}}
            metadata:
              $merge:
                - owner: ${owner}
                  source: ${repo}/raw/${headSha}/.taskcluster.yml
                - $switch:
                    isAction:
                      name: 'Action: ${action.title}'
                      description: |
                        ${action.description}

                        Asked for by `${clientId}`
                    'tasks_for == "cron"':
                      name: Decision Task for cron job ${cron.job_name}
                      description: 'Made by [a cron task](https://tools.example.org/tasks/${cron.task_id})'
                    $default:
                      name: Decision Task
                      description: Makes the task graph of a ${tasks_for}
            tags:
              $merge:
                - kind: {$switch: {isAction: action-callback, 'tasks_for == "cron"': cron-task, $default: decision-task}}
                - $if: 'tasks_for != "cron"'
                  then: {createdForUser: '${owner}'}
                  else: {}
            routes:
              $flatten:
                - checks
                - $switch:
                    'tasks_for == "github-push"':
                      - ${index}.latest.taskgraph.decision
                      - ${index}.revision.${headSha}.taskgraph.decision
                    isAction: ['${index}.revision.${headSha}.taskgraph.actions.${ownId}']
                    'tasks_for == "cron"':
                      - ${index}.latest.taskgraph.decision-${cron.job_name}
                      - ${index}.revision.${headSha}.cron.${ownId}
                    $default: []
            scopes:
              $switch:
                'tasks_for == "github-push"': ['assume:repo:${path}:branch:${branch}']
                isPullRequest: ['assume:repo:github.com/${event.pull_request.base.repo.full_name}:${tasks_for[7:]}']
                'tasks_for == "github-release"': ['assume:repo:${path}:release']
                isAction: ['assume:repo:${path}:${tasks_for}:${action.action_perm}']
                $default: ['assume:repo:${path}:cron:${cron.job_name}']
            payload:
              image: mozillareleases/taskgraph:decision-v25.0.0@sha256:9b5f3a5a8a7e4f6e0e6d8b8ad2cbb0f5b3c4d9d4f0c64b6e0b29a8f4c55a1f02
              maxRunTime: 1800
              features: {taskclusterProxy: true, chainOfTrust: true}
              env:
                $merge:
                - @PREFIX@_BASE_REPOSITORY: ${baseRepo}
                  @PREFIX@_BASE_REF: ${baseBranch}
                  @PREFIX@_BASE_REV: ${baseSha}
                  @PREFIX@_HEAD_REPOSITORY: ${repo}
                  @PREFIX@_HEAD_REF: ${branch}
                  @PREFIX@_HEAD_REV: ${headSha}
                  @PREFIX@_REPOSITORY_TYPE: git
                  REPOSITORIES: {$json: {src: '${join(split(project, "-"), "_")}'}}
@EXTRA@                - $if: isPullRequest
                  then: {@PREFIX@_PULL_REQUEST_NUMBER: '${event.pull_request.number}'}
                  else: {}
                - $if: isAction
                  then:
                    ACTION_TASK_GROUP_ID: ${action.taskGroupId}
                    ACTION_TASK_ID: {$json: {$eval: taskId}}
                    ACTION_INPUT: {$json: {$eval: input}}
                    ACTION_CALLBACK: ${action.cb_name}
                  else: {}
              command:
                - run-task
                - --src-checkout=/builds/worker/checkouts/src
                - --
                - bash
                - -cx
                - $if: isAction
                  then: cd /builds/worker/checkouts/src && taskgraph action-callback
                  else: >
                    cd /builds/worker/checkouts/src &&
                    taskgraph decision
                    --project='${project}'
                    --level='${level}'
                    --owner='${owner}'
                    --tasks-for='${tasks_for}'
                    --repository-type=git
                    --base-repository='${baseRepo}'
                    --base-ref='${baseBranch}'
                    --base-rev='${baseSha}'
                    --head-repository='${repo}'
                    --head-ref='${branch}'
                    --head-rev='${headSha}'
              artifacts:
                public:
                  type: directory
                  path: /builds/worker/artifacts
                  expires: {$fromNow: '1 year'}
                public/docker-contexts:
                  type: directory
                  path: /builds/worker/checkouts/src/docker-contexts
                  expires: {$fromNow: '7 days'}
            extra:
              $merge:
                - tasks_for: ${tasks_for}
                - $if: isAction
                  then:
                    parent: ${action.taskGroupId}
                    action:
                      name: ${action.name}
                      context:
                        taskGroupId: ${action.taskGroupId}
                        taskId: {$eval: taskId}
                        input: {$eval: input}
                        clientId: {$eval: clientId}
                  else: {}
                - $if: 'tasks_for == "cron"'
                  then: {cron: {$json: {$eval: cron}}}
                  else: {}
"#;
