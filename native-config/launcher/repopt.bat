@echo off
rem Starts the repopt command line. REPOPT_JAVA_OPTS is passed on to Java.
setlocal enabledelayedexpansion
set "REPOPT_HOME=%~dp0.."
if defined JAVA_HOME (set "REPOPT_JAVA=%JAVA_HOME%\bin\java.exe") else (set "REPOPT_JAVA=java.exe")
"%REPOPT_JAVA%" -version >nul 2>&1
if errorlevel 1 (
  echo repopt: no Java was found: set JAVA_HOME to a JDK or JRE of release 17 or later, or put java on the PATH 1>&2
  exit /b 2
)
set REPOPT_VERSION=
for /f "tokens=3" %%v in ('""%REPOPT_JAVA%" -version 2^>^&1 ^| findstr /i version"') do if not defined REPOPT_VERSION set "REPOPT_VERSION=%%~v"
for /f "tokens=1 delims=." %%m in ("%REPOPT_VERSION%") do set "REPOPT_MAJOR=%%m"
if %REPOPT_MAJOR% lss 17 (
  echo repopt: needs Java 17 or later, but %REPOPT_JAVA% is release %REPOPT_VERSION% 1>&2
  exit /b 2
)
rem What cuBLAS needs for --deterministic.
if not defined CUBLAS_WORKSPACE_CONFIG set "CUBLAS_WORKSPACE_CONFIG=:4096:8"
set REPOPT_FLAGS=-XX:+UseSerialGC -Dorg.bytedeco.javacpp.maxphysicalbytes=0
if %REPOPT_MAJOR% geq 22 set REPOPT_FLAGS=%REPOPT_FLAGS% --enable-native-access=ALL-UNNAMED
if %REPOPT_MAJOR% geq 23 set REPOPT_FLAGS=%REPOPT_FLAGS% --sun-misc-unsafe-memory-access=allow
"%REPOPT_JAVA%" %REPOPT_FLAGS% "-Drepopt.home=%REPOPT_HOME%" %REPOPT_JAVA_OPTS% -cp "%REPOPT_HOME%\lib\*" org.repopt4j.cli.Main %*
exit /b %errorlevel%
