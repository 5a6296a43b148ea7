# Every command of the project; `make` alone lists them. Needs make, npm and Python 3.11 or newer.

# The Python that builds must be the version of the Lambda runtime, or Lambda refuses the bytecode:
# so the newest runtime's is looked for first. A name on the path can be a shim that does not run.
ifndef PYTHON
PYTHON := $(shell for p in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python python3; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$p" && break; done)
endif
VERSION := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

ARCHITECTURE ?= x86_64
JOBS ?= 2
PORT ?= 3000
STACK ?= vitals
TENANT ?= Default
KEY ?= bootstrap
export PORT
# FOLDER=.local/demo: run, invoke and tick work on that folder instead of .local.
ifdef FOLDER
export VITALS_LOCAL_DIR := $(FOLDER)
endif

BIN := .venv/bin
CODE := $(shell echo layers/vitals/python functions/* | tr ' ' ':')
# SAM pins its own boto3, so it has an environment to itself. Its Python must be found by name.
SAM := SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/.venv-sam/bin:$$PATH" sam
PARAMETERS := Runtime=python$(VERSION) Architecture=$(ARCHITECTURE)

# A stamp carries the version, so that another PYTHON makes another environment and another build.
VENV := .venv/.installed-$(VERSION)
VENV_SAM := .venv-sam/.installed-$(VERSION)
VENV_CONTRACT := .venv-contract/.installed-$(VERSION)
NODE_MODULES := node_modules/.installed
OPENAPI := tests/contract/openapi
OPENAPI_TOOLS := $(OPENAPI)/node_modules/.installed
TOOLS := $(OPENAPI)/node_modules/.bin
DOCUMENT := functions/rest/openapi.json
BUILD := .aws-sam/built-$(VERSION)-$(ARCHITECTURE)
SOURCES := template.yaml samconfig.toml $(shell find functions layers -name __pycache__ -prune -o -print)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run invoke tick test lint types arrow format check-format check-template build \
	openapi check-openapi schemathesis bench demo reports pr deploy bootstrap lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

install: $(VENV) $(NODE_MODULES) ## install what the product and its tests need

run: install ## run the whole product on PORT (3000) and FOLDER (.local); CLOCK=TIME: begin then
	@$(BIN)/python -m local run $(if $(CLOCK),--clock "$(CLOCK)")

invoke: install ## invoke FUNCTION=actions with EVENT=events/actions/….json
	@$(BIN)/python -m local invoke "$(FUNCTION)" "$(EVENT)"

tick: install ## move the clock of what `make run` runs to TIME=2026-12-24T09:00:00Z; PAUSE=1: at once
	@$(BIN)/python -m local tick $(if $(PAUSE),--pause) "$(TIME)"

test: install build ## run every test; ARGS goes to pytest
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV) ## look for mistakes
	$(BIN)/ruff check

types: $(VENV) ## check the types
	$(BIN)/mypy

arrow: $(VENV) ## check that imports point inwards
	PYTHONPATH=layers/vitals/python $(BIN)/lint-imports

format: $(VENV) ## format, and mend what can be mended
	$(BIN)/ruff check --fix-only --exit-zero
	$(BIN)/ruff format

check-format: $(VENV)
	$(BIN)/ruff format --check

check-template: $(VENV) $(VENV_SAM)
	$(BIN)/cfn-lint template.yaml
	$(SAM) validate --lint

openapi: $(VENV) ## write the OpenAPI document anew
	PYTHONPATH=$(CODE) $(BIN)/python -m contract.document

check-openapi: $(VENV) $(OPENAPI_TOOLS) ## check the OpenAPI document, and what clients are made of it
	PYTHONPATH=$(CODE) $(BIN)/python -m contract.document --check
	$(TOOLS)/redocly lint --config $(OPENAPI)/redocly.yaml --max-problems 1000 $(DOCUMENT)
	$(TOOLS)/spectral lint --ruleset $(OPENAPI)/.spectral.yaml --fail-severity hint $(DOCUMENT)
	$(TOOLS)/openapi-typescript $(DOCUMENT) --output $(OPENAPI)/node_modules/client.ts
	$(TOOLS)/tsc --strict --noEmit --skipLibCheck false $(OPENAPI)/node_modules/client.ts

schemathesis: install $(VENV_CONTRACT) ## send the API what its document allows, and what not
	$(BIN)/python -m tests.contract.openapi.drive $(ARGS)

pr: check-format lint types arrow check-template check-openapi test ## the full gate, before a pull request

build: $(BUILD) ## build what is deployed, into .aws-sam/build

bench: install build ## measure what requests cost, over floors; ARGS=warm: that line alone
	PYTHONPATH=$(CODE) $(BIN)/python -m bench.actions
	PYTHONPATH=$(CODE) $(BIN)/python -m bench $(ARGS)

demo: install ## fill .local/demo with 200 invented companies and a year of their history, anew
	@$(BIN)/python -m local.demo fill --folder "$(or $(FOLDER),.local/demo)"

reports: install ## write all ten reports of `make demo` in four forms into .local/reports
	@$(BIN)/python -m local.demo reports --folder "$(or $(FOLDER),.local/demo)"

deploy: build ## deploy to AWS as STACK (vitals), asking for each setting
	$(SAM) deploy --guided --stack-name "$(STACK)" --parameter-overrides $(PARAMETERS)

bootstrap: $(VENV_SAM) ## create the first TENANT of STACK in AWS and print its key; FORCE=true: another
	@answer=$$($(SAM) remote invoke AdminFunction --stack-name "$(STACK)" --event '{"command": \
	"bootstrap", "tenant_name": "$(TENANT)", "key_name": "$(KEY)", "force": $(or $(FORCE),false)}') \
	&& echo "$$answer" && case "$$answer" in *'"api_key"'*) ;; *) exit 1 ;; esac

lock: ## renew the lock files from the .in files and package.json; UPGRADE=--upgrade: newest versions
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	"$(PYTHON)" -m venv "$$folder" && "$$folder/bin/pip" install --quiet uv==0.13.8 && \
	for name in layers/vitals/python/requirements functions/reports/requirements \
		functions/rest/requirements requirements-dev requirements-sam requirements-contract; do \
		echo "Locking $$name.in" && "$$folder/bin/uv" pip compile --quiet --universal \
		--python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links $(UPGRADE) -o $$name.txt $$name.in || exit 1; done
	for folder in . $(OPENAPI); do (cd $$folder && npm install --package-lock-only \
		--omit-lockfile-registry-resolved --no-audit --no-fund) || exit 1; done

clean: ## remove everything that can be made again; the data in .local stays
	rm -rf .aws-sam .venv .venv-sam .venv-contract node_modules $(OPENAPI)/node_modules .mypy_cache .ruff_cache .import_linter_cache \
		.hypothesis
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# The locks are complete, so pip has nothing to resolve; old pips cannot match extras to hashes.
define install_into
	@test -n "$(VERSION)" || { echo "No Python 3.11 or newer with venv: set PYTHON=…" >&2; exit 1; }
	@echo "Installing $< into $(@D) (Python $(VERSION))"
	@$(@D)/bin/python -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(VERSION)")' \
		2>/dev/null || "$(PYTHON)" -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--require-hashes -r $<
	@rm -f $(@D)/.installed-* && touch $@
endef

$(VENV): requirements-dev.txt
	$(install_into)

$(VENV_SAM): requirements-sam.txt
	$(install_into)

$(VENV_CONTRACT): requirements-contract.txt
	$(install_into)

$(NODE_MODULES): package-lock.json
$(OPENAPI_TOOLS): $(OPENAPI)/package-lock.json
$(NODE_MODULES) $(OPENAPI_TOOLS):
	@echo "Installing $< into $(@D)"
	@cd $(<D) && npm ci --no-audit --no-fund --loglevel=error
	@mkdir -p $(@D) && touch $@

# SAM ships no bytecode, and the timestamps of a Lambda zip spoil the usual kind. This kind has
# none, and names the files as they are called in Lambda.
$(BUILD): $(SOURCES) $(VENV_SAM)
	@rm -f .aws-sam/built-*
	$(SAM) build --parameter-overrides $(PARAMETERS)
	@for folder in .aws-sam/build/*/; do folder=$${folder%/}; \
		case $$folder in *Layer) lambda=/opt ;; *) lambda=/var/task ;; esac; \
		.venv-sam/bin/python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash \
		-s $$folder -p $$lambda $$folder || exit 1; done
	@touch $@
