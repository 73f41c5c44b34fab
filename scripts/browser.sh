# Sourced by the scripts beside it: what the browser test needs and this machine does not have.

# The path of the first program of these names; nothing where there is none.
first_program() {
    for program in "$@"; do
        if command -v "$program"; then return 0; fi
    done
    return 0
}

# One line saying what is missing; nothing where a browser and its driver are there.
browser_missing() {
    browser=${CHROMIUM:-$(first_program chromium chromium-browser google-chrome google-chrome-stable chrome)}
    driver=${CHROMEDRIVER:-$(first_program chromedriver)}
    if [ -z "$browser" ] || [ -z "$driver" ]; then
        echo "no Chromium with chromedriver on this machine (Debian: chromium chromium-driver;" \
            "macOS: brew install --cask chromium chromedriver; or set CHROMIUM and CHROMEDRIVER)"
    fi
}
