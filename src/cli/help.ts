/** The help of the bin. */
export const HELP = `gatehouse: an API gateway and backend-for-frontend

Usage
  gatehouse start    [--config FILE]    start the gateway
  gatehouse validate [--json] [--config FILE]
                                        list every fault of a configuration and of the code of its modules; exits with 1
                                        if there is one
  gatehouse routes   [--team NAME] [--wide] [--json] [--config FILE]
                                        print the compiled route table of both doors, or with --team what one team has of
                                        it; --wide with hosts, roles, limits, stages and where each route was declared
  gatehouse access   [--as FILE] [--json] [--config FILE]
                                        print which routes a caller may call and what keeps it out of the others, by
                                        path and method; without --as for who does not say who it is
  gatehouse admin-token --name NAME --role read|operate|admin [--expires 90d|TIME] [--add FILE] [--out FILE]
                                        make a token for the operators' listener: print it, or write it to --out; and
                                        print its line for the file of ADMIN_TOKENS_FILE, or add that to --add
  gatehouse bench ROUTE [--method GET] [--path PATH] [-H 'Name: value']... [--body FILE] [--real] [--json]
                  [--rounds 5] [--round-time 2s] [--connections 32] [--config FILE]
                                        measure what a route costs beside a bare pipe, and what each of its policies does;
                                        a server of this machine stands in for its upstream, unless --real
  gatehouse canary [list [ROUTE]] [--json] [--admin URL]
  gatehouse canary pause|resume|promote|abort ROUTE [--admin URL]
                                        show the rollouts of a gateway that runs, or act on one
  gatehouse config history [--json] [--admin URL]
  gatehouse config diff FROM TO [--json] [--admin URL]
  gatehouse config reload [--dry-run] [--json] [--admin URL]
  gatehouse config rollback GENERATION [--reason TEXT] [--json] [--admin URL]
                                        show which configurations a gateway that runs was given, and how two differ; have it
                                        read its file again, or put an earlier one into force until the file changes
  gatehouse dev [--fake UPSTREAM[=FILE]]... [--fake-missing] [--watch PATH]... [--proto FOLDER] [--config FILE]
                                        start the gateway, and keep to what is edited: code restarts it in another process,
                                        configuration is reloaded, schemas are generated again; --fake answers for an upstream,
                                        made of an OpenAPI document, a descriptor set or a sample, --fake-missing for those
                                        that nobody listens for
  gatehouse diff OLD NEW [--json]       say what changes in meaning between two configurations; exits with 0 if
                                        nothing does, with 1 if something does, with 2 if one of them is faulty
  gatehouse doctor [--json] [--timeout 5s] [--config FILE]
                                        look at what the gateway needs around it: secrets, certificates, ports, Redis,
                                        issuers, registries, targets, clocks; say what to mend; exits with 1 if
                                        something fails
  gatehouse explain 'GET /path' [-H 'Name: value']... [--as FILE] [--body FILE] [--from IP] [--json]
                    [--config FILE | --admin URL]
                                        say which route takes a request and why others do not, what its policies go by,
                                        which target is asked, and what is sent on, without sending anything; of the
                                        configuration file, or with --admin of the gateway that runs there
  gatehouse generate module|view|policy NAME [--dir src]
                                        write a Nest module, a view with its module, or a decorator that puts policies together,
                                        each with a spec
  gatehouse import kong|openapi FILE [--output OUT]
                                        print a configuration made of a declarative one of Kong, or of an OpenAPI file,
                                        or write it; what has no equivalent is told on standard error
  gatehouse openapi  [--config FILE] [--out FILE]
                                        print the OpenAPI document of all routes, or write it
  gatehouse client --ts --out FILE [--config FILE | --from URL|FILE [-H 'Name: value']...]
                                        write a typed client in one file of TypeScript, for the package openapi-fetch; of
                                        the configuration, or with --from of an openapi.json, served or as a file
  gatehouse contracts --out DIR [--config FILE]
                                        write openapi.json, schema.graphql and problems.json, as a release offers them
  gatehouse contracts check [--against REF|DIR] [--dir contracts] [--accepted FILE] [--json] [--config FILE]
                                        say what breaks clients of the contracts that git, or a folder, keeps in --dir; by
                                        default of the last release (a tag v*), else of where the branch left main; exits
                                        with 0 if nothing does that is not accepted, with 1 if something does, with 2 if
                                        there is nothing to compare with
  gatehouse init DIRECTORY [--name NAME] [--package SPEC]
                                        write a project of a team's own: a route in YAML, a Nest module, specs, CI, an image;
                                        --package says how it depends on gatehouse, by default by this version
  gatehouse log-level [LEVEL [--for 10m] | --reset] [--json] [--admin URL]
                                        show the level of the log of a gateway that runs, or have it another one for a while,
                                        by default for 10m, in all its workers
  gatehouse proto generate [FOLDER] [--out src/gen | --no-code] [--descriptors DIR] [--check]
                                        write the code of the schemas in a folder, by default proto, and a descriptor set for
                                        each folder or file in it, which the upstream of that name is known by; what lint says
                                        are warnings; --check writes nothing, and exits with 1 if something is stale
  gatehouse quota [--subject SUBJECT] [--tier TIER] [--json] [--admin URL]
  gatehouse quota --list NAME [--route ID] [--subject PART] [--tier TIER] [--sort used] [--limit N] [--cursor CURSOR]
                  [--json] [--admin URL]
  gatehouse quota --subject SUBJECT --reset [--quota NAME] [--reason TEXT] [--admin URL]
                                        show the quotas of a gateway that runs, or what somebody has used of them, or have it
                                        begin anew; the log and the audit name subjects
  gatehouse record --out FILE [--for 1m] [--rate 10%] [--max N] [--per-route N] [--bytes 16MiB] [--bodies 4KiB]
                   [--answers 16KiB] [--admin URL]
                                        write a sample of what the gateway that runs there serves, without secrets
  gatehouse replay OLD NEW SAMPLE [--json] [--fail-on-change]
                                        say which requests of a sample two configurations treat differently: route,
                                        decision, upstream, or what is sent on; nothing is sent; exits with 2 if a
                                        file is faulty, with --fail-on-change with 1 if something changes
  gatehouse revoke --jti ID | --sid ID [--issuer URL] [--expires TIME] | --sub SUBJECT [--issuer URL] [--before TIME]
                   [--reason TEXT] [--json] [--admin URL]
                                        revoke a token, a session, or what a subject was issued before a time, by default
                                        now, at all replicas of the gateway that runs there
  gatehouse revoke --undo --jti ID | --sid ID [--issuer URL] | --sub SUBJECT [--issuer URL] [--reason TEXT] [--json] [--admin URL]
                                        take a revocation back
  gatehouse simulate TESTS... [--json] [--junit FILE] [--fail-on-untested] [--config FILE]
                                        run route tests: who asks for what, what upstreams answer, and what has to come of
                                        it; nothing leaves this machine; exits with 0 if all pass, with 1 if some fail, with
                                        2 if a file is faulty
  gatehouse support-bundle --out FILE [--admin URL]
                                        write all that somebody needs who is asked for help, without secrets, compressed for
                                        a name that ends with .gz
  gatehouse tiers [list] [--json] [--admin URL]
  gatehouse tiers subjects [--subject SUBJECT] [--tier TIER] [--limit N] [--json] [--admin URL]
  gatehouse tiers set TIER --rate 600/1m[:60]|--off [--create] [--reason TEXT] [--admin URL]
  gatehouse tiers reset TIER [--reason TEXT] [--admin URL]
  gatehouse tiers assign SUBJECT TIER [--reason TEXT] [--admin URL]
  gatehouse tiers override SUBJECT --rate 600/1m[:60]|--off [--reason TEXT] [--admin URL]
  gatehouse tiers clear SUBJECT [--reason TEXT] [--admin URL]
                                        show the tiers of a gateway that runs, or who is of which; give a tier other numbers
                                        until it is reset to those of the file; give a tenant, a key or a principal (such as
                                        tenant:acme or key:ID) a tier or a limit of its own, or take both away
  gatehouse upstreams [--json] [--admin URL]
  gatehouse eject UPSTREAM TARGET [--for 10m] [--force] [--reason TEXT] [--json] [--admin URL]
  gatehouse restore UPSTREAM TARGET [--json] [--admin URL]
  gatehouse weight UPSTREAM TARGET NUMBER|--reset [--for 1h] [--reason TEXT] [--json] [--admin URL]
  gatehouse breaker open|close UPSTREAM TARGET [--for 10m] [--force] [--reason TEXT] [--json] [--admin URL]
                                        show the targets of a gateway that runs; take one out for a while, by default for 10m,
                                        or back at once; give one another weight; open or close its breaker
  gatehouse keys create --client ID [--role ROLE]... [--permission PERMISSION]... [--scope SCOPE]... [--tier TIER]
                   [--tenant TENANT] [--expires 90d|TIME] [--address CIDR]... [--rate 600/1m:60] [--prefix TEXT]
                   [--admin URL]        make an API key; by the gateway at --admin, else stored when REDIS_URL is set, else
                                        printed as YAML
  gatehouse keys list [--client ID] [--limit N] [--json] [--admin URL]
  gatehouse keys show ID [--json] [--admin URL]
  gatehouse keys update ID [--enable|--disable] [what create takes] [--admin URL]
  gatehouse keys rotate ID [--overlap 1d] [--expires 90d|TIME] [--json] [--admin URL]
  gatehouse keys revoke ID|KEY... [--reason TEXT] [--json] [--admin URL]
                                        show the API keys of a gateway that runs, change one, put a new one in its place while
                                        the old one goes on for a while, or revoke some at once, at all replicas

Options
  -c, --config FILE    configuration file; default GATEHOUSE_CONFIG, else what gatehouse.config.ts says, else config/gateway.yaml
      --modules FILE   file that exports \`modules\`, .js or .ts, for whatever takes --config or two configurations; may be
                       given several times; default GATEHOUSE_MODULES, else what gatehouse.config.ts says, else none
      --admin URL      operators' listener of the gateway; default ADMIN_HOST and ADMIN_PORT
      --token TOKEN    what it is shown, for whatever takes --admin; default ADMIN_TOKEN. Others on this machine may see it
      --token-file FILE  the same in a file; default ADMIN_TOKEN_FILE
      --ca-file FILE     who signs its certificate, in PEM; default ADMIN_CA_FILE, or whom Node trusts
  -o, --out FILE       file to write; import has --output
  -h, --help           print this; behind a command what is about it, as \`gatehouse help COMMAND\` does
  -v, --version        print the version

Environment: PORT, HOST, ADMIN_PORT, ADMIN_HOST, ADMIN_TOKENS_FILE, ADMIN_CERT_FILE, ADMIN_KEY_FILE, ADMIN_CLIENT_CA_FILE,
ADMIN_HOSTS, ADMIN_TOKEN, ADMIN_TOKEN_FILE, ADMIN_CA_FILE, WORKERS, REDIS_URL, REDIS_URL_FILE, REDIS_PASSWORD_FILE, REDIS_CA_FILE,
REDIS_CERT_FILE, REDIS_KEY_FILE, REDIS_SERVER_NAME, REDIS_SENTINEL_USERNAME, REDIS_SENTINEL_PASSWORD_FILE, REDIS_TIMEOUT, LOG_LEVEL,
GATEHOUSE_CONFIG, GATEHOUSE_MODULES, GATEHOUSE_WATCH, ANSWER_HEADS, METRICS_MAX_SERIES, FAULT_INJECTION, NODE_ENV, DRAIN_DELAY,
SHUTDOWN_TIMEOUT, WORKER_TIMEOUT. Each has a default, or may be unset.`;
